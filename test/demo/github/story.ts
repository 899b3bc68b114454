/** A stand-in with one organization, one repository, the App installed, and somebody who listens to its webhooks. */
import { createSign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Exchange } from '../../../src/demo/github/http.ts';
import { startStandIn, type StandIn, type StandInOptions } from '../../../src/demo/github/stand-in.ts';

export const web = 'acme/web';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly payload: Readonly<Record<string, unknown>>;
}

interface Listener {
  readonly url: string;
  readonly received: Received[];
  /** The next answers; 202 when none is left. */
  readonly answers: number[];
  stop(): Promise<void>;
}

async function startListener(): Promise<Listener> {
  const received: Received[] = [];
  const answers: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      received.push({ headers: request.headers, bytes, payload: JSON.parse(bytes.toString()) as Received['payload'] });
      response.writeHead(answers.shift() ?? 202).end('heard');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/github`,
    received,
    answers,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- GitHub's JSON; every test looks at a few fields of it
  readonly body: any;
}

export interface Story {
  readonly github: StandIn;
  readonly listener: Listener;
  readonly directory: string;
  readonly repositoryId: number;
  readonly installation: number;
  readonly exchanges: Exchange[];
  /** As the App, by JWT. */
  readonly asApp: (method: string, path: string, body?: unknown) => Promise<Reply>;
  /** As the installation, with every permission on this one repository. */
  readonly call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Reply>;
  readonly mint: (wish?: unknown) => Promise<string>;
  /** `event.action` of what was sent since the last look, in order, after all of it has been answered. */
  readonly events: () => Promise<readonly string[]>;
  readonly end: () => Promise<void>;
}

export async function beginStory(options: Partial<StandInOptions> = {}): Promise<Story> {
  const directory = await mkdtemp(join(tmpdir(), 'stand-in-'));
  const listener = await startListener();
  const github = await startStandIn({ webhookSecret: 'shared', webhookUrl: listener.url, directory, ...options });
  const files = { 'README.md': 'Hello\n', 'ci/web.pipeline.json': '{}\n' };
  const repository = await github.createRepository({ owner: 'acme', name: 'web', files });
  const installation = github.install({ owner: 'acme' });
  for (const login of ['ada', 'grace']) github.setPermission(web, login, 'write');
  const exchanges: Exchange[] = [];
  github.onExchange((exchange) => exchanges.push(exchange));
  const ask = (method: string, path: string, bearer: string, body?: unknown, headers = {}) =>
    request(`${github.url}${path}`, method, bearer, body, headers);
  const mint = async (wish: unknown = {}) => {
    const path = `/app/installations/${installation}/access_tokens`;
    const { status, body } = await ask('POST', path, jwtOf(github), wish);
    if (status !== 201) throw new Error(`no token: ${status} ${JSON.stringify(body)}`);
    return String(body.token);
  };
  const token = await mint({ repository_ids: [repository.id] });
  let seen = 0;
  await github.settled();
  return {
    github,
    listener,
    directory,
    repositoryId: repository.id,
    installation,
    exchanges,
    asApp: (method, path, body) => ask(method, path, jwtOf(github), body),
    call: (method, path, body, headers) => ask(method, path, token, body, headers),
    mint,
    async events() {
      await github.settled();
      const fresh = github.deliveries().slice(seen);
      seen += fresh.length;
      return fresh.map(({ event, action }) => (action === null ? event : `${event}.${action}`));
    },
    async end() {
      await github.stop();
      await listener.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export async function request(
  url: string,
  method: string,
  bearer: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const answer = await fetch(url, {
    method,
    headers: { ...headers, ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const json = answer.headers.get('content-type')?.startsWith('application/json') === true && text !== '';
  return { status: answer.status, headers: answer.headers, body: json ? JSON.parse(text) : text };
}

export interface Claims {
  readonly iss?: string | number;
  readonly iat?: number;
  readonly exp?: number;
}

/** Valid now, unless the claims say otherwise. */
export function jwtOf(github: StandIn, claims: Claims = {}, key = github.privateKey): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const all = { iat: now - 30, exp: now + 300, iss: String(github.appId), ...claims };
  const unsigned = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(all)}`;
  return `${unsigned}.${createSign('RSA-SHA256').update(unsigned).sign(key).toString('base64url')}`;
}
