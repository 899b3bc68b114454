import type { z } from 'zod';
import type { Logger } from 'pino';
import { UserError } from '../errors.ts';
import { GitHubRefusal, RateLimited, explainFailure } from './api-errors.ts';
import { octokitLog, throttledOctokit } from './throttled-octokit.ts';
import type { OctokitClass, WritePace } from './throttled-octokit.ts';
import { tokenCache } from './tokens.ts';
import type { Access, Tokens } from './tokens.ts';

export interface ClientOptions {
  readonly appId: number;
  /** PEM. As a function it is asked again when GitHub refuses the App's signature: a rotated key (SEC-T-04). */
  readonly privateKey: string | (() => string);
  /** GitHub's API. No call goes to another host. */
  readonly baseUrl: string;
  readonly pace: WritePace;
  readonly log: Logger;
  readonly now?: () => Date;
}

export type Parameters = Readonly<Record<string, unknown>>;

export interface Answer<T> {
  readonly data: T;
  readonly headers: Readonly<Record<string, string | number | undefined>>;
}

/** Calls to GitHub with the right token, the right pace, and errors in our words. */
export interface Client {
  readonly appId: number;
  readonly baseUrl: string;
  readonly tokens: Tokens;
  readonly now: () => Date;
  ask<S extends z.ZodType>(access: Caller, route: string, parameters: Parameters, shape: S): Promise<z.output<S>>;
  answer<S extends z.ZodType>(
    access: Caller,
    route: string,
    parameters: Parameters,
    shape: S,
  ): Promise<Answer<z.output<S>>>;
}

export type Caller = Access | { readonly kind: 'app' };

export function createClient(options: ClientOptions): Client {
  const now = options.now ?? (() => new Date());
  const Octokit = throttledOctokit(options.pace);
  const app = appCalls(Octokit, options, now);
  const blocks = blockBook(now);
  const tokens = tokenCache(
    async (installation_id, body) =>
      (await app('POST /app/installations/{installation_id}/access_tokens', { installation_id, ...body })).data,
    now,
  );

  async function installationCall(access: Access, route: string, parameters: Parameters): Promise<Answer<unknown>> {
    const installation = access.kind === 'repository' ? access.repository.installationId : access.installationId;
    blocks.check(installation, route);
    for (let attempt = 1; ; attempt += 1) {
      const token = await tokens.get(access);
      const octokit = new Octokit({ ...common(options), auth: { token }, throttle: throttleFor(installation) });
      try {
        return await octokit.request(route, { ...parameters });
      } catch (error) {
        const explained = explainFailure(error, describe(route, access), now());
        if (explained instanceof RateLimited) blocks.add(installation, explained.retryAfterMs ?? 0);
        const revoked = explained instanceof GitHubRefusal && explained.status === 401;
        if (!revoked || attempt === 2) throw forbidden(explained);
        tokens.forget(access, token);
      }
    }
  }

  const answer: Client['answer'] = async (access, route, parameters, shape) => {
    const call = access.kind === 'app' ? app(route, parameters) : installationCall(access, route, parameters);
    const { data, headers } = await call;
    const parsed = shape.safeParse(data);
    if (parsed.success) return { data: parsed.data, headers };
    const issue = parsed.error.issues[0];
    throw new Error(`GitHub answered ${route} in an unknown shape: ${issue?.path.join('.')}: ${issue?.message}`);
  };
  const ask: Client['ask'] = async (...call) => (await answer(...call)).data;
  return { appId: options.appId, baseUrl: options.baseUrl, tokens, now, answer, ask };
}

/** GitHub does not let the App make this call. */
export class Forbidden extends UserError {}

/** A limit is told from this before; what is left is for a person to mend (SEC-F-17). */
function forbidden(error: Error): Error {
  if (!(error instanceof GitHubRefusal) || error.status !== 403) return error;
  const mend =
    "Accept the App's new permissions, and see that its installation is active and the repository not archived.";
  return new Forbidden(`${error.message}. ${mend}`);
}

type AppCall = (route: string, parameters: Parameters) => Promise<Answer<unknown>>;

/** As the App itself, signed with its key. A key that GitHub refuses is read again, once. */
function appCalls(Octokit: OctokitClass, options: ClientOptions, now: () => Date): AppCall {
  const { privateKey } = options;
  let key = typeof privateKey === 'string' ? privateKey : privateKey();
  const connect = () => new Octokit({ ...common(options), auth: { appId: options.appId, privateKey: key } });
  let octokit = connect();
  return async (route, parameters) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await octokit.request(route, { ...parameters });
      } catch (error) {
        const explained = explainFailure(error, describe(route), now());
        const refused = explained instanceof GitHubRefusal && explained.status === 401;
        const read = refused && attempt === 1 && typeof privateKey === 'function' ? privateKey() : key;
        if (read === key) throw explained;
        key = read;
        octokit = connect();
      }
    }
  };
}

function common({ baseUrl, log }: ClientOptions) {
  return { baseUrl, log: octokitLog(log), userAgent: 'penstock' };
}

/** One pace for each installation, whatever token a call uses. */
function throttleFor(installation: number): { id: string } {
  return { id: String(installation) };
}

function describe(route: string, access?: Access): string {
  const { repository } = access?.kind === 'repository' ? access : {};
  return repository ? route.replace('{owner}', repository.owner).replace('{repo}', repository.name) : route;
}

/** After a limit nothing is sent before its end: hammering gets an App banned (SEC-F-11). */
function blockBook(now: () => Date) {
  const until = new Map<number, number>();
  return {
    add(installation: number, forMs: number) {
      until.set(installation, Math.max(until.get(installation) ?? 0, now().getTime() + forMs));
    },
    check(installation: number, route: string) {
      const left = (until.get(installation) ?? 0) - now().getTime();
      if (left > 0) throw new RateLimited(`GitHub limits requests: ${route} has to wait`, { retryAfterMs: left });
      until.delete(installation);
    },
  };
}
