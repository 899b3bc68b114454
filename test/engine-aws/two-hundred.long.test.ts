import { sql } from 'kysely';
import { expect, inject, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { names, scaleWorld } from './scale-world.ts';

const seed = Number(process.env['SEED'] ?? 7);
const pipelines = 20;
const chance = seeded(seed);
const [own, behind] = [await testDatabase(), await testDatabase()];
const isPostgres = inject('databaseEngine') === 'postgres';
if (!isPostgres) console.log('skipped: several processes need a Postgres server');
const world = isPostgres ? await scaleWorld({ own: { ...own, url: own.url ?? '' }, behind, pipelines, chance }) : null;

/** Half a minute on a machine of its own. */
const patienceMs = 540_000;

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
    if (!world) return;
    world.lose = () => chance() < 0.3;
    await run('with events, 30 % of them lost', 10);
    expect(world.events.lost / world.events.sent).toBeGreaterThan(0.2);
  },
  patienceMs,
);

test.runIf(isPostgres)(
  '100 more without any event: the polling finds the same, only later',
  async () => {
    if (!world) return;
    world.lose = () => true;
    await sql`delete from ticks where name like 'aws-event/%'`.execute(own.db);
    await run('without events', 5);
  },
  patienceMs,
);

async function run(how: string, each: number): Promise<void> {
  if (!world) return;
  world.calls.clear();
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
  report(how, all.length, { seconds: (performance.now() - began) / 1000, ends });
}

function report(
  how: string,
  executions: number,
  { seconds, ends }: { readonly seconds: number; readonly ends: Readonly<Record<string, number>> },
): void {
  const calls = [...(world?.calls ?? [])].toSorted(([, a], [, b]) => b - a);
  const total = calls.reduce((sum, [, count]) => sum + count, 0);
  const each = calls.map(([operation, count]) => `${operation} ${(count / executions).toFixed(2)}`).join(', ');
  const events = world ? `${world.events.sent} events so far, ${world.events.lost} lost` : '';
  // Looks at one execution at a time took more than thirty.
  expect(total / executions).toBeLessThan(15);
  console.log(
    `${how}: ${executions} executions in ${seconds.toFixed(0)} s, ${(total / executions).toFixed(2)} calls of AWS for each (${each}); ${JSON.stringify(ends)}; ${events}`,
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

/** The same numbers for the same seed. */
function seeded(from: number): () => number {
  let state = from;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 12)) >>> 0) / 0x1_0000_0000;
  };
}
