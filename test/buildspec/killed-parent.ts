import { detectIsolation, type IsolationLevel } from '../../src/buildspec/isolation.ts';
import { runCommand } from '../../src/buildspec/run-command.ts';

/** Started by killed-parent.test.ts: runs a command that has children of its own, says so, and waits to be killed. */
const [level, marker, work] = process.argv.slice(2) as [IsolationLevel, string, string];
const isolation = await detectIsolation({ path: process.env['PATH'] ?? '', wanted: level });
const running = runCommand({
  isolation,
  marker,
  command: {
    argv: ['/bin/sh', '-c', 'setsid sleep 300 & echo started; sleep 300'],
    cwd: work,
    writable: [work],
    home: work,
    temporary: work,
    env: {},
    network: 'host',
  },
  output: (chunk) => {
    process.stdout.write(chunk);
  },
  deadlineMs: 60_000,
});
process.stdout.write(`${JSON.stringify(running.identity)}\n`);
await running.result;
