import { sql, type Kysely, type Transaction } from 'kysely';
import type { Database } from './database.ts';
import { plainText } from './json.ts';

/** One person's answer to one gate, and what exactly it was given for (SEC R1). */
export interface NewVote {
  readonly repositoryId: number;
  readonly pullRequest: number | null;
  readonly executionId: string;
  readonly stage: string;
  readonly action: string;
  readonly token: string;
  readonly headSha: string;
  readonly baseSha: string | null;
  readonly configDigest: string;
  readonly personId: number;
  readonly login: string;
  readonly answer: 'approve' | 'reject' | 'withdrawn';
  readonly channel: 'comment' | 'button' | 'review';
  /** The comment, review or button, and the place of a further line in it (`review/7/2`): each answers one gate once. */
  readonly source: string;
  readonly reason: string;
}

export interface VoteRecord extends NewVote {
  readonly id: number;
  readonly at: Date;
}

export async function recordVote(trx: Transaction<Database>, vote: NewVote): Promise<'new' | 'known'> {
  const inserted = await trx
    .insertInto('votes')
    .values({
      repository_id: vote.repositoryId,
      pull_request: vote.pullRequest,
      execution_id: vote.executionId,
      stage: vote.stage,
      action: vote.action,
      token: vote.token,
      head_sha: vote.headSha,
      base_sha: vote.baseSha,
      config_digest: vote.configDigest,
      person_id: vote.personId,
      login: plainText(vote.login),
      answer: vote.answer,
      channel: vote.channel,
      source: vote.source,
      reason: plainText(vote.reason),
    })
    .onConflict((oc) => oc.columns(['token', 'source']).doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n ? 'new' : 'known';
}

/** All answers to one gate in the order they were given; of one person the last one counts. */
export function votesFor(db: Kysely<Database>, execution: string, token: string): Promise<readonly VoteRecord[]> {
  return selectVotes(db).where('token', '=', token).where('execution_id', '=', execution).orderBy('id').execute();
}

export function votesOfExecution(db: Kysely<Database>, execution: string): Promise<readonly VoteRecord[]> {
  return selectVotes(db).where('execution_id', '=', execution).orderBy('id').execute();
}

/** The review was dismissed: the votes of all its lines count no more. Answers how many that were. */
export async function withdrawVotesFrom(db: Kysely<Database>, source: string): Promise<number> {
  const query = db.updateTable('votes').set({ answer: 'withdrawn' }).where(cameFrom(source));
  const { numUpdatedRows } = await query.where('answer', '<>', 'withdrawn').executeTakeFirst();
  return Number(numUpdatedRows);
}

/** How many answers from there still stand. */
export async function standingVotesFrom(db: Kysely<Database>, source: string): Promise<number> {
  const query = db.selectFrom('votes').select((eb) => eb.fn.countAll<number>().as('n'));
  const row = await query.where(cameFrom(source)).where('answer', '<>', 'withdrawn').executeTakeFirstOrThrow();
  return row.n;
}

/** Executions whose gates were answered from there. */
export async function executionsVotedFrom(db: Kysely<Database>, source: string): Promise<readonly string[]> {
  const rows = await db.selectFrom('votes').select('execution_id').distinct().where(cameFrom(source)).execute();
  return rows.map((row) => row.execution_id);
}

/** Any line of it. */
function cameFrom(source: string) {
  return sql<boolean>`(source = ${source} or source like ${`${source}/%`})`;
}

function selectVotes(db: Kysely<Database>) {
  return db
    .selectFrom('votes')
    .select(['id', 'repository_id as repositoryId', 'pull_request as pullRequest', 'execution_id as executionId'])
    .select(['stage', 'action', 'token', 'head_sha as headSha', 'base_sha as baseSha', 'config_digest as configDigest'])
    .select(['person_id as personId', 'login', 'answer', 'channel', 'source', 'reason', 'at']);
}
