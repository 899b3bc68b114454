import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';

export interface PullRequestHead {
  readonly repositoryId: number;
  readonly number: number;
  readonly headSha: string;
  readonly baseRef: string;
  readonly baseSha: string;
  readonly authorId: number;
  readonly pushedBy: number | null;
}

/**
 * Remembers what a pull request's head and base are now, as read from GitHub. Seeing the same again adds nothing but who
 * pushed it, which only its webhook tells; a head that comes back after a force push is a new row. `seenAt` is for what
 * happened earlier.
 */
export async function recordHead(db: Kysely<Database>, head: PullRequestHead, seenAt?: Date): Promise<void> {
  await sql`
    insert into pull_request_heads
      (repository_id, number, head_sha, base_ref, base_sha, author_id, pushed_by, seen_at)
    select ${head.repositoryId}::bigint, ${head.number}::integer, ${head.headSha}::text, ${head.baseRef}::text,
      ${head.baseSha}::text, ${head.authorId}::bigint, ${head.pushedBy}::bigint,
      coalesce(${seenAt ?? null}::timestamptz, clock_timestamp())
    where not exists (
      select from (
        select head_sha, base_ref, base_sha from pull_request_heads
        where repository_id = ${head.repositoryId} and number = ${head.number}
        order by seen_at desc limit 1) newest
      where head_sha = ${head.headSha} and base_ref = ${head.baseRef} and base_sha = ${head.baseSha})
    on conflict do nothing`.execute(db);
  if (head.pushedBy !== null) await rememberPusher(db, { ...head, pushedBy: head.pushedBy });
}

/** The first one that is told for a head counts. */
export async function rememberPusher(
  db: Kysely<Database>,
  head: Pick<PullRequestHead, 'repositoryId' | 'number' | 'headSha'> & { readonly pushedBy: number },
): Promise<void> {
  await db
    .updateTable('pull_request_heads')
    .set({ pushed_by: head.pushedBy })
    .where('repository_id', '=', head.repositoryId)
    .where('number', '=', head.number)
    .where('head_sha', '=', head.headSha)
    .where('pushed_by', 'is', null)
    .execute();
}

/** The head at that moment, as far as we had seen it; null when nothing was seen by then. */
export async function headAt(db: Kysely<Database>, repositoryId: number, number: number, at: Date) {
  const row = await heads(db, repositoryId, number).where('seen_at', '<=', at).executeTakeFirst();
  return row?.headSha ?? null;
}

export async function latestHead(db: Kysely<Database>, repositoryId: number, number: number) {
  const row = await heads(db, repositoryId, number).executeTakeFirst();
  return row ?? null;
}

/** Account number of whoever pushed that head last, as a webhook or GitHub's list told; null when none did. */
export async function pusherOf(db: Kysely<Database>, repositoryId: number, number: number, headSha: string) {
  const known = heads(db, repositoryId, number).where('head_sha', '=', headSha).where('pushed_by', 'is not', null);
  return (await known.executeTakeFirst())?.pushedBy ?? null;
}

/** Newest first. */
function heads(db: Kysely<Database>, repositoryId: number, number: number) {
  return db
    .selectFrom('pull_request_heads')
    .select(['repository_id as repositoryId', 'number', 'head_sha as headSha', 'base_ref as baseRef'])
    .select(['base_sha as baseSha', 'author_id as authorId', 'pushed_by as pushedBy', 'seen_at as seenAt'])
    .where('repository_id', '=', repositoryId)
    .where('number', '=', number)
    .orderBy('seen_at', 'desc');
}
