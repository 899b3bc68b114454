import { sql, type Kysely, type Transaction } from 'kysely';
import type { Obeyed } from '../engine/engine.ts';
import type { PipelineCommand } from '../pipeline/protocol.ts';
import type { Database } from './database.ts';
import { plainText } from './json.ts';

export interface HumanCommand {
  /** The comment, review or button that it came from, for example `issue-comment/123`: each is obeyed once. */
  readonly source: string;
  readonly repositoryId: number;
  readonly pullRequest: number | null;
  readonly personId: number;
  readonly login: string;
  readonly text: string;
}

const abandonedAfter = sql`interval '2 minutes'`;

/**
 * Claims a command for one claimer (the delivery or sweep that found it). `known`: it was obeyed, or another claimer is
 * at it. The same claimer gets it again after a failure, and anybody does when a claim was abandoned.
 */
export async function claimCommand(
  db: Kysely<Database>,
  command: HumanCommand & { readonly claimer?: string },
): Promise<'new' | 'known'> {
  const { source, repositoryId, pullRequest, personId } = command;
  const claimer = command.claimer ?? null;
  const { rows } = await sql`
    insert into human_commands as known
      (source, repository_id, pull_request, person_id, login, text, claimer, claimed_at)
    values (${source}, ${repositoryId}, ${pullRequest}, ${personId}, ${plainText(command.login)},
      ${plainText(command.text)}, ${claimer}, now())
    on conflict (source) do update set claimer = excluded.claimer, claimed_at = now()
    where known.outcome is null
      and (known.claimer = excluded.claimer or known.claimed_at < now() - ${abandonedAfter})
    returning 1`.execute(db);
  return rows.length === 1 ? 'new' : 'known';
}

/** The first end counts. */
export async function finishCommand(
  db: Kysely<Database>,
  source: string,
  end: { readonly outcome: string; readonly answer: string },
): Promise<void> {
  await db
    .updateTable('human_commands')
    .set({ outcome: end.outcome, answer: plainText(end.answer) })
    .where('source', '=', source)
    .where('outcome', 'is', null)
    .execute();
}

export interface AskedOfEngine {
  readonly key: string;
  /** The words that it follows from. */
  readonly line: string;
  readonly command: PipelineCommand;
  /** Absent until it is answered. */
  readonly obeyed?: Obeyed;
}

export async function askedOf(db: Kysely<Database>, source: string): Promise<readonly AskedOfEngine[]> {
  const row = await db.selectFrom('human_commands').select('asked').where('source', '=', source).executeTakeFirst();
  return Object.values(row?.asked ?? {});
}

/** Of a source that was claimed. */
export async function rememberAsked(db: Kysely<Database>, source: string, asked: AskedOfEngine): Promise<void> {
  const text = JSON.stringify({ [asked.key]: asked });
  await sql`update human_commands set asked = asked || ${text}::jsonb where source = ${source}`.execute(db);
}

/** True for whoever comes first with this row about a source that was claimed. */
export async function claimRecord(trx: Transaction<Database>, source: string, row: string): Promise<boolean> {
  const { rows } = await sql`
    update human_commands set recorded = array_append(recorded, ${plainText(row)}::text)
    where source = ${source} and not (${plainText(row)}::text = any (recorded)) returning 1`.execute(trx);
  return rows.length === 1;
}

export async function commandBySource(db: Kysely<Database>, source: string) {
  const row = await selectCommands(db).where('source', '=', source).executeTakeFirst();
  return row ?? null;
}

/** How many other commands a person gave in a repository in the last so many minutes. */
export async function countCommands(
  db: Kysely<Database>,
  by: Pick<HumanCommand, 'source' | 'repositoryId' | 'personId'> & { readonly minutes: number },
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from human_commands
    where repository_id = ${by.repositoryId} and person_id = ${by.personId}
      and source <> ${by.source} and at > now() - make_interval(mins => ${by.minutes}::int)`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Newest first. */
export function commandsOfPullRequest(db: Kysely<Database>, repositoryId: number, number: number, limit = 50) {
  const query = selectCommands(db).where('repository_id', '=', repositoryId).where('pull_request', '=', number);
  return query.orderBy('at', 'desc').limit(limit).execute();
}

function selectCommands(db: Kysely<Database>) {
  return db
    .selectFrom('human_commands')
    .select(['source', 'login', 'text', 'outcome', 'answer', 'at'])
    .select(['repository_id as repositoryId', 'pull_request as pullRequest', 'person_id as personId']);
}
