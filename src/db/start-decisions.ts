import type { Kysely } from 'kysely';
import type { Database } from './database.ts';
import { plainText } from './json.ts';

export interface StartDecision {
  readonly repositoryId: number;
  readonly pipeline: string;
  readonly headSha: string;
  readonly pullRequest?: number;
  /** Guid of the delivery that asked. */
  readonly delivery?: string;
  readonly outcome: 'started' | 'filtered' | 'held' | 'broken' | 'passed';
  readonly reason: string;
  readonly execution?: string;
}

export async function recordDecision(db: Kysely<Database>, decision: StartDecision): Promise<void> {
  await db
    .insertInto('start_decisions')
    .values({
      repository_id: decision.repositoryId,
      pipeline: decision.pipeline,
      head_sha: decision.headSha,
      pull_request: decision.pullRequest ?? null,
      delivery: decision.delivery ?? null,
      outcome: decision.outcome,
      reason: plainText(decision.reason),
      execution_id: decision.execution ?? null,
    })
    .execute();
}

/** Newest first. */
export function decisionsFor(
  db: Kysely<Database>,
  repositoryId: number,
  about: { readonly sha: string } | { readonly pullRequest: number },
  limit = 50,
) {
  return db
    .selectFrom('start_decisions')
    .select(['pipeline', 'head_sha as headSha', 'pull_request as pullRequest', 'delivery', 'outcome', 'reason', 'at'])
    .select('execution_id as execution')
    .where('repository_id', '=', repositoryId)
    .where((eb) => ('sha' in about ? eb('head_sha', '=', about.sha) : eb('pull_request', '=', about.pullRequest)))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}
