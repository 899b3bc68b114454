/** A route is its OpenAPI operation, what a caller must hold, and the answer. */
import { ApiError, invalid, notFound } from './api-error.ts';
import type { Caller } from './auth.ts';
import type { Site } from './site.ts';
import type { Repository } from './state.ts';

export interface Call {
  readonly site: Site;
  readonly caller: Caller;
  readonly method: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RepositoryCall extends Call {
  readonly repository: Repository;
}

export interface Answer {
  readonly status: number;
  /** JSON unless it is a Buffer. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `app`: an App JWT. `installation`: any token. Otherwise one of these permissions on the repository, as `checks:write`. */
export type Needs = 'nobody' | 'app' | 'app or installation' | 'installation' | readonly string[];

export interface Route {
  /** As in the published description: `GET /repos/{owner}/{repo}`. */
  readonly operation: string;
  readonly needs: Needs;
  readonly answer: (call: Call) => Promise<Answer> | Answer;
}

/** The repository has been found and the token reaches it before `answer` is asked. */
export function repositoryRoute(
  operation: string,
  needs: readonly string[],
  answer: (call: RepositoryCall) => Promise<Answer> | Answer,
): Route {
  const [method, path] = operation.split(' ');
  return {
    operation: `${method} /repos/{owner}/{repo}${path === '/' ? '' : path}`,
    needs,
    answer: (call) => answer({ ...call, repository: repositoryOf(call) }),
  };
}

export function repositoryOf(call: Call): Repository {
  const name = `${call.parameters['owner']}/${call.parameters['repo']}`;
  const found = findRepository(call.site, name);
  if (found !== null) return found;
  const moved = call.site.state.formerNames.get(name.toLowerCase());
  throw moved === undefined ? notFound() : movedTo(call, moved);
}

/** A renamed repository answers at its old name with a redirect to its number. */
function movedTo({ site, parameters, query, method }: Call, repository: Repository): ApiError {
  const path = parameters['*'] ?? '';
  const search = query.size === 0 ? '' : `?${query.toString()}`;
  const rest = path.split('/').slice(4).join('/');
  const location = `${site.url}/repositories/${repository.id}${rest === '' ? '' : `/${rest}`}${search}`;
  const status = method === 'GET' ? 301 : 307;
  return new ApiError(status, status === 301 ? 'Moved Permanently' : 'Temporary Redirect', { headers: { location } });
}

/** Owners and names differ in case only when a person typed them: GitHub takes either. */
export function findRepository(site: Site, name: string): Repository | null {
  for (const repository of site.state.repositories.values()) {
    if (`${repository.owner.login}/${repository.name}`.toLowerCase() === name.toLowerCase()) return repository;
  }
  return null;
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function created(body: unknown): Answer {
  return { status: 201, body };
}

export function numberParameter(call: Call, name: string): number {
  const value = Number(call.parameters[name]);
  if (!Number.isInteger(value)) throw notFound();
  return value;
}

export function textField(call: Call, name: string): string | undefined {
  const value = call.body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string')
    throw invalid(`Invalid request.\n\nFor '${name}', ${JSON.stringify(value)} is not a string.`);
  return value;
}

interface Page {
  readonly size: number;
  readonly number: number;
}

/** `most` is the size of a page when nothing else is asked for, where it is above the common 100. */
export function pageOf(call: Call, most?: number): Page {
  const size = Number(call.query.get('per_page') ?? most ?? 30) || 30;
  const number = Number(call.query.get('page') ?? 1) || 1;
  return { size: Math.min(Math.max(size, 1), most ?? 100), number: Math.max(number, 1) };
}

/** One page of a list; `shape` is asked only for what stands on it. */
export async function listAnswer<T>(
  call: Call,
  items: readonly T[],
  shape: (item: T) => unknown,
  wrap: (page: unknown[]) => unknown = (page) => page,
  most?: number,
): Promise<Answer> {
  const page = pageOf(call, most);
  const start = (page.number - 1) * page.size;
  const shown = await Promise.all(items.slice(start, start + page.size).map(shape));
  const link = linkHeader(call, page, Math.max(1, Math.ceil(items.length / page.size)));
  return { status: 200, body: wrap(shown), headers: link === '' ? {} : { link } };
}

function linkHeader(call: Call, page: Page, last: number): string {
  const links: string[] = [];
  const add = (rel: string, number: number) => {
    const query = new URLSearchParams(call.query);
    query.set('page', String(number));
    links.push(`<${call.site.url}${call.parameters['*']}?${query.toString()}>; rel="${rel}"`);
  };
  if (page.number > 1) add('prev', page.number - 1);
  if (page.number < last) add('next', page.number + 1);
  if (page.number < last) add('last', last);
  if (page.number > 1) add('first', 1);
  return links.join(', ');
}
