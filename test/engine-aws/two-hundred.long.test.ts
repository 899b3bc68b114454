import { sql } from 'kysely';
import { expect, inject, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { names, scaleWorld } from './scale-world.ts';

const seed = Number(process.env['SEED'] ?? 7);
const pipelines = 20;
const [own, behind] = [await testDatabase(), await testDatabase()];
const isPostgres = inject('databaseEngine') === 'postgres';
if (!isPostgres) console.log('skipped: several processes need a Postgres server');
const world = isPostgres
  ? await scaleWorld({ own: { url: own.url ?? '' }, behind: { url: behind.url ?? '' }, pipelines, seed })
  : null;

/** A minute or two on a machine of its own. */
const patienceMs = 900_000;

/** Conclusions of the check that stands for the whole pipeline. */
const conclusions: Readonly<Record<string, string>> = {
  Succeeded: 'success',
  Failed: 'failure',
  Superseded: 'cancelled',
};

interface Wanted {
  readonly repository: string;
  readonly sha: string;
  readonly name: string;
}

test.runIf(isPostgres)(
  `200 executions over ${pipelines} pipelines with three events of ten lost (seed ${seed}): every check ends as AWS ended`,
  async () => {
    const { sent, lost } = await run('with events, 30 % of them lost', 0.3);
    expect(lost / sent).toBeGreaterThan(0.2);
  },
  patienceMs,
);

test.runIf(isPostgres)(
  '200 more without any event: the polling finds the same, only later',
  async () => {
    await sql`delete from ticks where name like 'aws-event/%'`.execute(own.db);
    const { sent, lost } = await run('without events', 1);
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBe(sent);
  },
  patienceMs,
);

/** Pull requests of each repository: each starts two pipelines. */
const each = 10;

/** Answers how many events AWS sent meanwhile, and how many of these never came. */
async function run(how: string, lose: number): Promise<{ readonly sent: number; readonly lost: number }> {
  if (!world) throw new Error('no world');
  const { events } = await world.aws.ask(lose);
  const before = (await ours()).length;
  const began = performance.now();
  const branch = how.replaceAll(/\W+/g, '-');
  const wanted = await Promise.all(
    world.repositories.map(async (repository) => {
      const made: Wanted[] = [];
      for (let number = 0; number < each; number += 1) {
        const sha = await world.open(repository, `${branch}-${number}`);
        made.push(...names.map((name) => ({ repository, sha, name })));
      }
      return made;
    }),
  );
  const all = wanted.flat();
  await until(`${all.length} executions have ended`, async () => {
    const rows = await ours();
    return rows.length === before + all.length && rows.every((row) => !row.live);
  });
  const rows = new Map((await ours()).map((row) => [`${row.sha} ${row.pipeline}`, row]));
  const theirs = new Map((await engineStates()).map((row) => [row.id, row.status]));
  const ends: Record<string, number> = {};
  for (const one of all) {
    const row = rows.get(`${one.sha} ${one.name}`);
    const state = theirs.get(row?.awsId ?? '') ?? 'unknown';
    ends[state] = (ends[state] ?? 0) + 1;
    expect({ ...one, status: row?.status }).toEqual({ ...one, status: state });
    await until(`the check ${one.name} of ${one.sha} says ${state}`, () =>
      Promise.resolve(conclusions[state] === conclusionOf(one)),
    );
  }
  const now = await world.aws.ask();
  const told = { sent: now.events.sent - events.sent, lost: now.events.lost - events.lost };
  report(how, all.length, { seconds: (performance.now() - began) / 1000, ends, calls: now.calls, ...told });
  return told;
}

interface Measured {
  readonly seconds: number;
  readonly ends: Readonly<Record<string, number>>;
  readonly calls: Readonly<Record<string, number>>;
  readonly sent: number;
  readonly lost: number;
}

function report(how: string, executions: number, { seconds, ends, calls, sent, lost }: Measured): void {
  const sorted = Object.entries(calls).toSorted(([, a], [, b]) => b - a);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const perOne = sorted.map(([operation, count]) => `${operation} ${(count / executions).toFixed(2)}`).join(', ');
  // Looks at one execution at a time took more than thirty.
  expect(total / executions).toBeLessThan(15);
  console.log(
    `${how}: ${executions} executions in ${seconds.toFixed(0)} s, ${(total / executions).toFixed(2)} calls of AWS for each (${perOne}); ${JSON.stringify(ends)}; ${sent} events, ${lost} lost`,
  );
}

interface Row {
  readonly sha: string;
  readonly pipeline: string;
  readonly awsId: string | null;
  readonly status: string;
  readonly live: boolean;
}

async function ours(): Promise<readonly Row[]> {
  const { rows } = await sql<Row>`
    select head_sha as sha, pipeline, state -> 'aws' ->> 'executionId' as "awsId", status, live from executions`.execute(
    own.db,
  );
  return rows;
}

async function engineStates(): Promise<readonly { readonly id: string; readonly status: string }[]> {
  const { rows } = await sql<{ id: string; status: string }>`select id, status from executions`.execute(behind.db);
  return rows;
}

function conclusionOf({ repository, sha, name }: Wanted): string | null | undefined {
  return world?.github.checks(repository, sha).find((run) => run.name === name)?.conclusion;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs / 2;
  while (performance.now() < end) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const printed = world?.servers.map((server) => server.output().slice(-2000)).join('\n---\n') ?? '';
  throw new Error(`not in time: ${what}\n${JSON.stringify((await ours()).filter((row) => row.live))}\n${printed}`);
}
