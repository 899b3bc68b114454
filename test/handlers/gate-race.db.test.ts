import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { openDatabase } from '../../src/db/open.ts';
import { testDatabase } from '../database.ts';
import { contests, gateRace } from './gate-race.ts';
import { gateReplica, openRaceTables } from './gate-replica.ts';

// Two replicas in this process; gate-race.long.test.ts has them in processes of their own, 200 times.
const database = await testDatabase();
const { url, open } = database;
const second = url === undefined ? open : await openDatabase({ kind: 'postgres', url });
const home = mkdtempSync(join(tmpdir(), 'penstock-race-'));
await openRaceTables(open.db);
const replicas = [gateReplica(open, home), gateReplica(second, home)] as const;
const race = await gateRace(database, replicas);

afterAll(async () => {
  for (const replica of replicas) await replica.stop();
  if (second !== open) await second.close();
  rmSync(home, { recursive: true });
});

test.each(contests.map((contest) => [contest.name, contest] as const))('%s', async (_name, contest) => {
  await race.run(contest, [-8, 0, 2, 8]);
});
