import { sql, type Kysely } from 'kysely';
import type { Database } from '../../src/db/database.ts';

/** How many rows each table has and a sum over what stands in them: equal marks, and nothing was written. */
export async function tableMarks(
  db: Kysely<Database>,
  { except = [] }: { readonly except?: readonly string[] } = {},
): Promise<Readonly<Record<string, string>>> {
  const tables = await sql<{
    name: string;
  }>`select tablename as name from pg_tables where schemaname = 'public'`.execute(db);
  const marks = tables.rows
    .filter(({ name }) => !except.includes(name))
    .map(
      ({ name }) => sql`select ${name}::text as name,
        concat(count(*), ' rows, ', coalesce(sum(hashtext(t::text)), 0)) as mark from ${sql.table(name)} t`,
    );
  const { rows } = await sql<{
    name: string;
    mark: string;
  }>`${sql.join(marks, sql` union all `)} order by name`.execute(db);
  return Object.fromEntries(rows.map(({ name, mark }) => [name, mark]));
}
