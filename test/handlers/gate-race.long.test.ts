import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { contests, gateRace } from './gate-race.ts';
import { openRaceTables, type Act, type Replica, type Said } from './gate-replica.ts';

const times = 200;
const mostTimes = 1_000;
const atOnce = 20;
const spreadMs = 120;

if (inject('databaseEngine') === 'postgres') {
  const database = await testDatabase();
  const home = mkdtempSync(join(tmpdir(), 'penstock-race-'));
  await openRaceTables(database.db);
  const replicas = [await startReplica(database.url!, home), await startReplica(database.url!, home)] as const;
  const race = await gateRace(database, replicas);

  afterAll(async () => {
    for (const replica of replicas) await replica.stop();
    rmSync(home, { recursive: true });
  });

  test.each(contests.map((contest) => [contest.name, contest] as const))(
    `${times} times over two processes: %s`,
    async (_name, contest) => {
      let released = 0;
      let done = 0;
      // An answer takes longer than a push or an expiry, by how much depends on the machine: each batch aims by the last,
      // with longer and longer steps while only one side wins, and goes on until both have.
      let leadMs = 40;
      let stepMs = spreadMs;
      const isRace = () => contest.policy?.count === 2 || (released > 0 && released < done);
      while (done < times || (!isRace() && done < mostTimes)) {
        const won = await race.run(contest, around(leadMs));
        released += won;
        done += atOnce;
        stepMs = won === 0 || won === atOnce ? stepMs * 1.5 : spreadMs;
        leadMs += (0.5 - won / atOnce) * stepMs;
      }
      console.log(`${contest.name}: released ${released} of ${done}`);
      // Otherwise it was no race.
      expect(isRace()).toBe(true);
    },
  );
} else {
  test('several replicas need a Postgres server', ({ skip }) =>
    skip('skipped: no Postgres server for several replicas'));
}

/** Evenly over the spread; positive when the second contender begins later. */
function around(leadMs: number): readonly number[] {
  return Array.from({ length: atOnce }, (_, index) => Math.round(leadMs + (index / (atOnce - 1) - 0.5) * spreadMs));
}

/** A worker process; acts go to it and answers come back by its channel. */
async function startReplica(url: string, home: string): Promise<Replica> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'gate-process.ts'), [url, home], { execArgv: [] });
  await once(child, 'message');
  const waiting = new Map<number, (answer: { readonly said?: Said; readonly error?: string }) => void>();
  child.on('message', ({ id, ...answer }: { id: number; said?: Said; error?: string }) => waiting.get(id)?.(answer));
  let sent = 0;
  return {
    act: async (act: Act) => {
      sent += 1;
      const id = sent;
      const answered = new Promise<{ readonly said?: Said; readonly error?: string }>((resolve) =>
        waiting.set(id, resolve),
      );
      child.send({ id, act });
      const { said, error } = await answered;
      if (!said) throw new Error(`replica ${child.pid}: ${error}`);
      return said;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
