import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';
import { jsonText, plainText } from './json.ts';

export interface AuditEntry {
  readonly repositoryId?: number;
  readonly execution?: string;
  readonly who: string;
  readonly what: string;
  readonly why: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** In the transaction that changes the state, so that there is never one without the other (P9). */
export async function recordAudit(db: Kysely<Database>, entry: AuditEntry): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      repository_id: entry.repositoryId ?? null,
      execution_id: entry.execution ?? null,
      who: plainText(entry.who),
      what: plainText(entry.what),
      why: plainText(entry.why),
      detail: jsonText(entry.detail ?? {}),
    })
    .execute();
}

/** Of one execution, oldest first. */
export function auditOf(db: Kysely<Database>, execution: string) {
  return selectAudit(db).where('execution_id', '=', execution).orderBy('id').execute();
}

export interface AuditFilter {
  readonly repositoryId?: number;
  /** Rows about it, and about executions that belong to it. Needs `repositoryId`. */
  readonly pullRequest?: number;
  /** The id, or the beginning of it. */
  readonly execution?: string;
  readonly limit: number;
}

export type AuditRow = Awaited<ReturnType<typeof findAudit>>[number];

/** The newest rows that fit, oldest first. */
export async function findAudit(db: Kysely<Database>, filter: AuditFilter) {
  let query = selectAudit(db).orderBy('id', 'desc').limit(filter.limit);
  const { repositoryId, pullRequest, execution } = filter;
  if (repositoryId !== undefined) query = query.where('repository_id', '=', repositoryId);
  if (execution !== undefined) query = query.where(sql<boolean>`starts_with(execution_id, ${execution})`);
  if (pullRequest !== undefined)
    query = query.where(
      sql<boolean>`detail ->> 'pullRequest' = ${String(pullRequest)} or execution_id in
        (select id from executions where repository_id = audit.repository_id and pull_request = ${pullRequest})`,
    );
  return (await query.execute()).toReversed();
}

function selectAudit(db: Kysely<Database>) {
  return db
    .selectFrom('audit')
    .select(['id', 'at', 'repository_id as repositoryId', 'execution_id as execution', 'who', 'what', 'why', 'detail'])
    .select(['previous', 'hash']);
}

/** One repository's rows: how many, and the hash of the newest, which stands for all of them. */
export interface AuditChain {
  readonly repositoryId: number | null;
  readonly rows: number;
  readonly hash: string;
  /** The first row that is not as it was written, or does not follow the row before it. */
  readonly broken: number | null;
}

/** Computes every hash again (SEC-T-15). Whoever wrote down a chain's hash elsewhere sees also that its end was cut. */
export async function checkAudit(db: Kysely<Database>): Promise<readonly AuditChain[]> {
  const { rows } = await sql<AuditChain>`
    with linked as (
      select id, repository_id, hash, hash <> audit_hash(audit) or previous <> coalesce(
        lag(hash) over (partition by repository_id order by id), '') as wrong
      from audit)
    select repository_id as "repositoryId", count(*) as rows, (array_agg(hash order by id desc))[1] as hash,
      min(id) filter (where wrong) as broken
    from linked group by repository_id order by repository_id nulls first`.execute(db);
  return rows;
}
