import { commands } from './cli/command-list.ts';
import { runCli } from './cli/run-cli.ts';

const interrupted = new AbortController();
// The second signal finds no listener any more and ends the process at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort(signal));

process.exitCode = await runCli(process.argv.slice(2), commands, {
  out: (text) => void process.stdout.write(`${text}\n`),
  write: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(`${text}\n`),
  color: process.stdout.isTTY && !process.env['NO_COLOR'],
  cwd: process.cwd(),
  env: process.env,
  interrupted: interrupted.signal,
});
