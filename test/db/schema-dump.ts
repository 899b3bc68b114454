import { sql, type Kysely } from 'kysely';
import type { Database } from '../../src/db/database.ts';

/** The schema as text, one line per column, constraint and index, the same on every Postgres version. */
export async function dumpSchema(db: Kysely<Database>): Promise<string> {
  const lines = await sql<{ line: string }>`
    select line from (
      select c.relname || ': column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || case when a.attnotnull then ' not null' else '' end
        || case when a.attidentity <> '' then ' identity' else '' end
        || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') as line
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
      union all
      select c.relname || ': constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
      from pg_constraint k join pg_class c on c.oid = k.conrelid
      where k.connamespace = 'public'::regnamespace and k.contype in ('p', 'u', 'f', 'c')
      union all
      select tablename || ': index ' || indexdef from pg_indexes where schemaname = 'public'
    ) lines where line not like 'kysely%' order by line collate "C"`.execute(db);
  return `${lines.rows.map((row) => row.line).join('\n')}\n`;
}
