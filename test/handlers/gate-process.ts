import { openDatabase } from '../../src/db/open.ts';
import { gateReplica, type Act } from './gate-replica.ts';

// A replica in a process of its own for test/handlers/gate-race.long.test.ts: does what it is sent, and answers.
const [url, home] = process.argv.slice(2) as [string, string];
const open = await openDatabase({ kind: 'postgres', url });
const replica = gateReplica(open, home);

process.on('message', ({ id, act }: { id: number; act: Act }) => {
  void replica.act(act).then(
    (said) => process.send?.({ id, said }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});
process.once('SIGTERM', () => {
  void replica
    .stop()
    .then(() => open.close())
    .then(() => process.exit(0));
});
process.send?.('ready');
