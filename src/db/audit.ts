import type { Kysely } from 'kysely';
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

/** Oldest first. */
export function auditOf(db: Kysely<Database>, execution: string) {
  return db
    .selectFrom('audit')
    .select(['id', 'at', 'repository_id as repositoryId', 'execution_id as execution', 'who', 'what', 'why', 'detail'])
    .where('execution_id', '=', execution)
    .orderBy('id')
    .execute();
}
