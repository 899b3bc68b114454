import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { pino } from 'pino';
import { openDatabase } from '../src/db/open.ts';
import { runWorker } from '../src/worker.ts';

// A replica of its own for test/worker.long.test.ts: writes down when each job began and ended here.
const [url, worker] = process.argv.slice(2) as [string, string];
const open = await openDatabase({ kind: 'postgres', url });
const { db } = open;

function note(name: string, what: string) {
  return sql`insert into notes (name, worker, what) values (${name}, ${worker}, ${what})`.execute(db);
}

const running = runWorker({
  db,
  listen: open.listen,
  worker,
  host: 'h1',
  concurrency: 4,
  leaseMs: 2_000,
  log: pino({ level: 'silent' }),
  handlers: {
    tick: async ({ name }, { stillMine }) => {
      await note(name, 'began');
      await sleep(20 + Math.random() * 20);
      if (await stillMine()) await note(name, 'effect');
    },
  },
});
process.once('SIGTERM', () => {
  void running
    .drain(5_000)
    .then(() => open.close())
    .then(() => process.exit(0));
});
console.log('ready');
