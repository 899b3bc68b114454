/** The door: finds the route, checks the caller, lets faults strike, and tells listeners what was said. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError, notFound } from './api-error.ts';
import { callerOf, demand, type Caller } from './auth.ts';
import { perHour } from './rate.ts';
import { repositoryOf, type Answer, type Call, type Route } from './route.ts';
import type { Site } from './site.ts';
import { fullName } from './state.ts';

/** One request to the REST API and its answer, as a judge of both needs them. */
export interface Exchange {
  /** `GET /repos/{owner}/{repo}`; null when no route answers to the path. */
  readonly operation: string | null;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** null without a body. */
  readonly request: unknown;
  /** 0 when the connection was cut. */
  readonly status: number;
  /** Also when the answer was lost on its way. */
  readonly tookEffect: boolean;
  /** null without a body, and for anything but JSON. */
  readonly response: unknown;
  readonly at: Date;
}

interface Compiled {
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly route: Route;
}

/** Parameters that may hold slashes. */
const deep = new Set(['path', 'ref', 'branch', 'basehead']);

export function compileRoutes(routes: readonly Route[]): readonly Compiled[] {
  return routes.map((route) => {
    const [method = '', path = ''] = route.operation.split(' ');
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
    const source = path
      .replaceAll('.', '\\.')
      .replace(/\{(\w+)\}/g, (_, name: string) => (deep.has(name) ? '(.+)' : '([^/]+)'));
    return { method, pattern: new RegExp(`^${source}/?$`), names, route };
  });
}

interface Found {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

function find(routes: readonly Compiled[], method: string, path: string): Found | null {
  for (const { pattern, names, route, ...compiled } of routes) {
    const match = compiled.method === method ? pattern.exec(path) : null;
    if (match === null) continue;
    const values = match.slice(1).map(decode);
    const parameters = Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']));
    return { route, parameters: { ...parameters, '*': path } };
  }
  return null;
}

/** What cannot be decoded names nothing. */
function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** A repository can be addressed by its number, as redirects do. */
function byName(site: Site, path: string): string {
  const [, number = '', rest = ''] = /^\/repositories\/(\d+)(\/.*)?$/.exec(path) ?? [];
  const repository = site.state.repositories.get(Number(number));
  return repository === undefined ? path : `/repos/${fullName(repository)}${rest}`;
}

export interface Door {
  readonly site: Site;
  readonly routes: readonly Compiled[];
  readonly tell: (exchange: Exchange) => void;
}

interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly sent: unknown;
}

interface Decision {
  readonly answer: Answer;
  readonly caller: Caller;
  readonly tookEffect: boolean;
}

export async function answerRest(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { site } = door;
  const url = new URL(request.url ?? '/', site.url);
  const method = request.method ?? 'GET';
  const found = find(door.routes, method, byName(site, url.pathname));
  const asked = { method, url, headers: request.headers, sent: parseBody(await readBody(request)) };
  const { answer, caller, tookEffect } = await withFaults(site, asked, () => decide(site, found, asked));
  door.tell({
    operation: found?.route.operation ?? null,
    method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    request: asked.sent ?? null,
    status: answer.status,
    tookEffect,
    response: answer.body instanceof Buffer ? null : (answer.body ?? null),
    at: site.now(),
  });
  write(response, answer, rateHeaders(site, caller));
}

/** A request that fails or is limited never takes effect; one whose answer is lost has. */
async function withFaults(site: Site, asked: Asked, decided: () => Promise<Decision>): Promise<Decision> {
  const instead = (answer: Answer) => ({ answer, caller: { kind: 'nobody' } as const, tookEffect: false });
  let lost = false;
  for (const effect of site.faults.requestEffects(asked.method, asked.url.pathname)) {
    if (effect.kind === 'slow') await sleep(effect.ms);
    if (effect.kind === 'fail') return instead(plain(effect.status, 'Server Error'));
    if (effect.kind === 'limit') return instead(limited(effect.retryAfterSeconds));
    if (effect.kind === 'cut') return instead(cut);
    if (effect.kind === 'lose') lost = true;
  }
  const decision = await decided();
  return lost ? { ...decision, answer: plain(502, 'Server Error') } : decision;
}

/** No status: the connection ends instead. */
const cut: Answer = { status: 0 };

function plain(status: number, message: string): Answer {
  return { status, body: { message } };
}

function limited(seconds: number): Answer {
  const message = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
  return { status: 403, body: { message }, headers: { 'retry-after': String(seconds) } };
}

async function decide(site: Site, found: Found | null, asked: Asked): Promise<Decision> {
  let caller: Caller = { kind: 'nobody' };
  try {
    caller = callerOf(site, asked.headers.authorization);
    if (found === null) throw notFound();
    if (asked.sent === undefined) throw new ApiError(400, 'Problems parsing JSON');
    const call = callOf(site, caller, found, asked);
    demand(caller, found.route.needs, 'repo' in found.parameters ? repositoryOf(call) : null);
    return { caller, answer: await found.route.answer(call), tookEffect: true };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const answer = { status: error.status, body: error.body(), headers: error.headers };
    return { caller, answer, tookEffect: false };
  }
}

function callOf(site: Site, caller: Caller, found: Found, asked: Asked): Call {
  const body = (asked.sent ?? {}) as Readonly<Record<string, unknown>>;
  return {
    site,
    caller,
    method: asked.method,
    parameters: found.parameters,
    query: asked.url.searchParams,
    headers: asked.headers,
    body,
  };
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** null without a body, undefined when it is no JSON object. */
function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return null;
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function rateHeaders(site: Site, caller: Caller): Readonly<Record<string, string>> {
  const used = caller.kind === 'installation' ? (caller.token.used += 1) : 0;
  return {
    'x-ratelimit-limit': String(perHour),
    'x-ratelimit-remaining': String(Math.max(0, perHour - used)),
    'x-ratelimit-reset': String(Math.floor(site.now().getTime() / 1000) + 3600),
    'x-ratelimit-resource': 'core',
    'x-ratelimit-used': String(used),
  };
}

function write(response: ServerResponse, answer: Answer, rate: Readonly<Record<string, string>>): void {
  if (answer === cut) return void response.destroy();
  const raw = answer.body instanceof Buffer;
  const type = raw ? 'application/vnd.github.raw+json; charset=utf-8' : 'application/json; charset=utf-8';
  response.writeHead(answer.status, { 'content-type': type, ...rate, ...answer.headers });
  if (answer.body === undefined) response.end();
  else response.end(raw ? answer.body : JSON.stringify(answer.body));
}
