import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buryLostJobs } from '../src/db/job-endings.ts';
import { endLeasesOfHost } from '../src/db/orphaned-jobs.ts';
import { sweepDeliveries, sweepGates, sweepRepositories } from '../src/handlers/sweep.ts';
import { testDatabase } from './database.ts';
import { setStage } from './stage.ts';
import { recordStatements } from './statement-plans.ts';
import { startWorld, type World } from './world.ts';

const { open, db } = await testDatabase();
const recorder = recordStatements(db);
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: { ...open, db: recorder.db } });
});

afterAll(() => world.stop());

test('whatever a story asks of the database is found by an index: years of executions slow nothing down', async () => {
  const stage = await setStage(world);
  const { number, branch } = await stage.pullRequest({ 'run.sh': 'exit 3\n' });
  await stage.say(number, 'dev', '/retry');
  await stage.commit(branch, { 'run.sh': 'exit 0\n' });
  await world.settled();
  for (const words of ['/status', '/plan', '/why', '/help']) await stage.say(number, 'reader', words);
  await stage.say(number, 'dev', '/approve');
  await stage.say(number, 'reviewer', '/approve');
  await sweepRepositories(world.server.deps);
  await sweepGates(world.server.deps);
  await sweepDeliveries(world.server.deps);
  await world.github.mergePullRequest(stage.repository, number, `reviewer-${stage.owner}`);
  await world.settled();
  await buryLostJobs(recorder.db);
  await endLeasesOfHost(recorder.db, 'a-host');
  expect(recorder.count()).toBeGreaterThan(60);
  await sql`
    insert into jobs (kind, payload, dedupe_key, run_at)
    select 'deadline', '{}', 'waits/' || n, now() + interval '1 day' from generate_series(1, 20000) n`.execute(db);
  await sql`analyze jobs`.execute(db);
  // The world asks for the newest head itself, to let people take their time.
  expect((await recorder.whole()).filter((statement) => !statement.includes('max(seen_at)'))).toEqual([]);
});

test('a statement that no index serves is seen', async () => {
  const other = recordStatements(db);
  await other.db.selectFrom('votes').selectAll().where('reason', '=', 'x').execute();
  await other.db.selectFrom('executions').select('id').orderBy('started_at', 'desc').limit(5).execute();
  await other.db.selectFrom('jobs').select('id').where('dedupe_key', '=', 'x').limit(1).execute();
  expect(await other.whole()).toEqual([
    'jobs: select "id" from "jobs" where "dedupe_key" = $1 limit $2',
    'votes: select * from "votes" where "reason" = $1',
  ]);
});
