import { sql, type Kysely } from 'kysely';

/** The audit becomes append-only, and each row carries the hash of the row before it in its repository. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table audit add column previous text not null default '', add column hash text not null default ''`,

  // Hex of the SHA-256 over the row as a JSON array.
  `create function audit_hash(entry audit) returns text language sql stable as $$
    select encode(sha256(convert_to(jsonb_build_array(entry.previous, entry.id,
      to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      entry.repository_id, entry.execution_id, entry.who, entry.what, entry.why, entry.detail)::text, 'UTF8')), 'hex')
  $$`,

  `create function audit_last(repository bigint) returns text language plpgsql stable as $$
  begin
    if repository is null then
      return (select hash from audit where repository_id is null order by id desc limit 1);
    end if;
    return (select hash from audit where repository_id = repository order by id desc limit 1);
  end $$`,

  // The id is taken under the lock, so that within a repository it counts in the order of the chain.
  `create function audit_append() returns trigger language plpgsql as $$
  begin
    perform pg_advisory_xact_lock(1346651726, (coalesce(new.repository_id, 0) % 2147483647)::int);
    new.id := nextval(pg_get_serial_sequence('audit', 'id'));
    new.previous := coalesce(audit_last(new.repository_id), '');
    new.hash := audit_hash(new);
    return new;
  end $$`,

  // Rows of before: hashed as they stand, from the first one on.
  `do $$ declare entry audit; begin
    for entry in select * from audit order by id loop
      entry.previous := coalesce((select hash from audit
        where repository_id is not distinct from entry.repository_id and id < entry.id order by id desc limit 1), '');
      update audit set previous = entry.previous, hash = audit_hash(entry) where id = entry.id;
    end loop;
  end $$`,

  `create trigger audit_append before insert on audit for each row execute function audit_append()`,

  `create function audit_refuse() returns trigger language plpgsql as $$
  begin
    raise exception 'the audit is append-only: % is refused', tg_op using errcode = 'insufficient_privilege';
  end $$`,
  `create trigger audit_keep before update or delete or truncate on audit
    for each statement execute function audit_refuse()`,
];
