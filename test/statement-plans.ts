import { CompiledQuery, sql, type Kysely, type KyselyPlugin, type RootOperationNode } from 'kysely';
import type { Database } from '../src/db/database.ts';

/** Tables that only grow, or that hold what the whole server does. Reading one from end to end gets slower for ever. */
const growing = new Set(
  (
    'action_executions audit check_runs deliveries executions human_commands jobs lanes pull_request_heads ' +
    'refusals rule_executions start_decisions votes worker_jobs'
  ).split(' '),
);

/** Indexes of few rows: what is alive right now. They may be read as a whole. */
const small = ['executions_live', 'executions_waiting', 'jobs_leases', 'jobs_running_key'];

const choices = ['seqscan', 'hashjoin', 'mergejoin'];

export interface StatementRecorder {
  /** The same database, and every statement through it is remembered. */
  readonly db: Kysely<Database>;
  /** `table: statement` of each that reads all of a growing table, whatever it holds today. */
  whole(): Promise<readonly string[]>;
  readonly count: () => number;
}

export function recordStatements(db: Kysely<Database>): StatementRecorder {
  const seen = new Map<string, CompiledQuery>();
  const recorder: KyselyPlugin = {
    transformQuery: ({ node, queryId }) => {
      const compiled = db.getExecutor().compileQuery<RootOperationNode>(node, queryId);
      if (/^\s*(select|with|insert|update|delete)\b/i.test(compiled.sql)) seen.set(compiled.sql, compiled);
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  };
  return {
    db: db.withPlugin(recorder),
    count: () => seen.size,
    whole: () =>
      db.connection().execute(async (connection) => {
        // Small tables are read whole in any case; without these choices it shows whether there is another one.
        for (const choice of choices) await sql.raw(`set enable_${choice} = off`).execute(connection);
        const found: string[] = [];
        for (const statement of seen.values()) {
          for (const table of await readWhole(connection, statement)) found.push(`${table}: ${oneLine(statement.sql)}`);
        }
        for (const choice of choices) await sql.raw(`reset enable_${choice}`).execute(connection);
        return found.toSorted();
      }),
  };
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Filter?: string;
  readonly Plans?: readonly PlanNode[];
}

async function readWhole(db: Kysely<Database>, { sql: text, parameters }: CompiledQuery): Promise<readonly string[]> {
  const explained = await db.executeQuery<{ 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }] }>(
    CompiledQuery.raw(`explain (format json) ${text}`, [...parameters]),
  );
  const [row] = explained.rows;
  return row === undefined ? [] : wholeTables(row['QUERY PLAN'][0].Plan, false);
}

/** `limited`: the reader takes the first rows in the index's own order, unless it has to look for those that fit. */
function wholeTables(node: PlanNode, limited: boolean): readonly string[] {
  const { 'Node Type': type, 'Relation Name': table = '', Plans: below = [] } = node;
  const scans = /^(Seq|Index|Index Only|Bitmap Heap) Scan$/.test(type) && growing.has(table);
  const stopsEarly = limited && type !== 'Seq Scan' && node.Filter === undefined;
  const passesOn = type === 'Limit' || (limited && !['Sort', 'Aggregate', 'Hash', 'HashAggregate'].includes(type));
  return [
    ...(scans && !findsByIndex(node) && !stopsEarly ? [table] : []),
    ...below.flatMap((child) => wholeTables(child, passesOn)),
  ];
}

/** A bitmap of a table comes from one or several scans of indexes below it. */
function findsByIndex(node: PlanNode): boolean {
  const { Plans: below = [], 'Index Name': index = '' } = node;
  if (/^Bitmap (Heap|And|Or)/.test(node['Node Type'])) return below.every(findsByIndex);
  return node['Index Cond'] !== undefined || small.includes(index);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
