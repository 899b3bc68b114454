import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';

export interface CheckRunRecord {
  readonly id: number;
  readonly repositoryId: number;
  readonly headSha: string;
  readonly name: string;
  /** null: it stands for no execution (skipped, held, broken configuration). */
  readonly executionId: string | null;
  /** '' is the aggregate. */
  readonly stage: string;
  readonly n: number;
  /** null between the intent to post and GitHub's answer. */
  readonly githubId: number | null;
  readonly status: string;
  readonly conclusion: string | null;
  /** Digest of what was last sent. */
  readonly sentDigest: string | null;
}

export type CheckRunIntent = Pick<CheckRunRecord, 'repositoryId' | 'headSha' | 'name' | 'executionId' | 'stage' | 'n'>;

/** Remembers that run `n` is about to be posted, before it is. The same intent again answers the row that is there. */
export async function intendCheckRun(db: Kysely<Database>, intent: CheckRunIntent): Promise<CheckRunRecord> {
  await db
    .insertInto('check_runs')
    .values({
      repository_id: intent.repositoryId,
      head_sha: intent.headSha,
      name: intent.name,
      execution_id: intent.executionId,
      stage: intent.stage,
      n: intent.n,
      status: 'queued',
    })
    .onConflict((oc) => oc.doNothing())
    .execute();
  return matching(db, intent).where('stage', '=', intent.stage).where('n', '=', intent.n).executeTakeFirstOrThrow();
}

export interface CheckRunSent {
  readonly githubId: number;
  readonly digest: string;
  readonly status: string;
  readonly conclusion: string | null;
}

/** GitHub has it, or will have it when this call was repeated: what it shows now. */
export async function recordCheckRunSent(db: Kysely<Database>, id: number, sent: CheckRunSent): Promise<void> {
  await db
    .updateTable('check_runs')
    .set({
      github_id: sent.githubId,
      sent_digest: sent.digest,
      status: sent.status,
      conclusion: sent.conclusion,
      updated_at: sql<Date>`now()`,
    })
    .where('id', '=', id)
    .execute();
}

/** The newest run of that name for an execution, or for a commit when it stands for none. */
export async function newestCheckRun(
  db: Kysely<Database>,
  key: Pick<CheckRunRecord, 'repositoryId' | 'headSha' | 'executionId' | 'name'>,
): Promise<CheckRunRecord | null> {
  const row = await matching(db, key).orderBy('n', 'desc').limit(1).executeTakeFirst();
  return row ?? null;
}

/** The one that GitHub shows: the last that was posted under that name, for whatever execution. */
export async function shownCheckRun(
  db: Kysely<Database>,
  key: Pick<CheckRunRecord, 'repositoryId' | 'headSha' | 'name'>,
): Promise<CheckRunRecord | null> {
  const query = selectCheckRuns(db)
    .where('repository_id', '=', key.repositoryId)
    .where('head_sha', '=', key.headSha)
    .where('name', '=', key.name)
    .where('github_id', 'is not', null);
  return (await query.orderBy('github_id', 'desc').limit(1).executeTakeFirst()) ?? null;
}

/** By GitHub's id, in the repository that the event came from: an id from another repository finds nothing. */
export async function checkRunByGithubId(
  db: Kysely<Database>,
  repositoryId: number,
  githubId: number,
): Promise<CheckRunRecord | null> {
  const query = selectCheckRuns(db).where('repository_id', '=', repositoryId).where('github_id', '=', githubId);
  return (await query.executeTakeFirst()) ?? null;
}

/** The newest run of each stage of an execution. */
export function newestCheckRuns(db: Kysely<Database>, execution: string): Promise<readonly CheckRunRecord[]> {
  const query = selectCheckRuns(db).where('execution_id', '=', execution);
  return query.distinctOn('stage').orderBy('stage').orderBy('n', 'desc').execute();
}

function matching(
  db: Kysely<Database>,
  key: Pick<CheckRunRecord, 'repositoryId' | 'headSha' | 'executionId' | 'name'>,
) {
  return selectCheckRuns(db)
    .where('repository_id', '=', key.repositoryId)
    .where('head_sha', '=', key.headSha)
    .where('name', '=', key.name)
    .where('execution_id', 'is not distinct from', key.executionId);
}

function selectCheckRuns(db: Kysely<Database>) {
  return db
    .selectFrom('check_runs')
    .select(['id', 'repository_id as repositoryId', 'head_sha as headSha', 'name', 'execution_id as executionId'])
    .select(['stage', 'n', 'github_id as githubId', 'status', 'conclusion', 'sent_digest as sentDigest']);
}
