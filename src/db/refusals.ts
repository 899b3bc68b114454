import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';

interface Refused {
  readonly repositoryId: number;
  readonly personId: number;
}

const wordsAgainAfter = sql`interval '10 minutes'`;
const askedAgainAfter = sql`interval '1 minute'`;

/** Whether this refusal may have words: one for each person in ten minutes, on any replica. The same source may again. */
export async function claimWords(db: Kysely<Database>, by: Refused & { readonly source: string }): Promise<boolean> {
  const { rows } = await sql`
    insert into refusals as known (repository_id, person_id, source)
    values (${by.repositoryId}, ${by.personId}, ${by.source})
    on conflict (repository_id, person_id) do update
      set source = excluded.source, told_at = now(), permission = null, asked_at = null
      where known.source = excluded.source or known.told_at < now() - ${wordsAgainAfter}
    returning 1`.execute(db);
  return rows.length === 1;
}

/** Of somebody who was told: what GitHub answered about their access now. */
export async function rememberAccess(
  db: Kysely<Database>,
  by: Refused & { readonly permission: 'read' | 'none' },
): Promise<void> {
  await sql`
    update refusals set permission = ${by.permission}, asked_at = now()
    where repository_id = ${by.repositoryId} and person_id = ${by.personId}
      and (asked_at is null or asked_at < now() - ${askedAgainAfter})`.execute(db);
}

/** The access that was too little a moment ago; null when GitHub is to be asked. */
export async function rememberedAccess(db: Kysely<Database>, by: Refused): Promise<'read' | 'none' | null> {
  const row = await db
    .selectFrom('refusals')
    .select('permission')
    .where('repository_id', '=', by.repositoryId)
    .where('person_id', '=', by.personId)
    .where('asked_at', '>', sql<Date>`now() - ${askedAgainAfter}`)
    .executeTakeFirst();
  return row?.permission ?? null;
}
