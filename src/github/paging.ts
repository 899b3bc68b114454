import type { z } from 'zod';
import { GitHubRefusal } from './api-errors.ts';
import type { Answer, Caller, Client, Parameters } from './client.ts';
import type { RepositoryRef } from './github.ts';
import type { PermissionSet } from './tokens.ts';

const perPage = 100;

/** Owner and name for the path of a call. */
export function named({ owner, name }: RepositoryRef): { readonly owner: string; readonly repo: string } {
  return { owner, repo: name };
}

export function on(repository: RepositoryRef, permissions: PermissionSet): Caller {
  return { kind: 'repository', repository, permissions };
}

/** Not found is a value where the port says so. 422 is how some routes say that a commit does not exist. */
export async function orNull<T>(call: Promise<T>, statuses: readonly number[] = [404]): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof GitHubRefusal && statuses.includes(error.status)) return null;
    throw error;
  }
}

/** Numbered pages, until one is not full. */
export async function allPages<S extends z.ZodType>(
  client: Client,
  caller: Caller,
  route: string,
  parameters: Parameters,
  page: S,
  itemsOf: (page: z.output<S>) => readonly unknown[],
  mostPages = 30,
): Promise<readonly z.output<S>[]> {
  const pages: z.output<S>[] = [];
  for (let number = 1; number <= mostPages; number += 1) {
    const read = await client.ask(caller, route, { ...parameters, per_page: perPage, page: number }, page);
    pages.push(read);
    if (itemsOf(read).length < perPage) break;
  }
  return pages;
}

/** The address of the next page of a list that is read by cursor. */
export function nextCursor({ headers }: Answer<unknown>): string | null {
  const next = /<([^>]+)>;\s*rel="next"/.exec(String(headers['link'] ?? ''))?.[1];
  return next === undefined ? null : (URL.parse(next)?.searchParams.get('cursor') ?? null);
}
