import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Isolation } from './isolation.ts';

/** Exit statuses name the promise that was broken. */
const checks = `work=$1; secret=$2; outside=$3
touch "$work/written" || exit 10
[ "$level" = process ] && exit 0
[ "$(readlink /proc/self/ns/pid)" != "$outside" ] || exit 11
[ ! -e "$secret" ] || exit 12
touch /usr/penstock-probe 2>/dev/null && exit 13
exit 0
`;

const meanings: ReadonlyMap<number, string> = new Map([
  [10, 'the work directory could not be written'],
  [11, 'it gave no process namespace of its own'],
  [12, 'files outside the work directory could be read'],
  [13, '/usr could be written'],
]);

/** Runs a command on a rung and says what it did not keep, or undefined when all is well. */
export async function probeRung(isolation: Isolation, scratch: string): Promise<string | undefined> {
  const root = await mkdtemp(join(scratch, 'probe-'));
  try {
    const [work, home, temporary, secret] = ['work', 'home', 'tmp', 'secret'].map((name) => join(root, name)) as [
      string,
      string,
      string,
      string,
    ];
    await Promise.all([work, home, temporary].map((directory) => mkdir(directory)));
    await writeFile(secret, 'canary');
    const wrapped = isolation.wrap({
      argv: ['/bin/sh', '-c', checks, 'probe', work, secret, await readlink('/proc/self/ns/pid')],
      cwd: work,
      writable: [work],
      home,
      temporary,
      env: { level: isolation.level },
      network: isolation.contained ? 'none' : 'host',
    });
    return await outcomeOf(wrapped.file, wrapped.args, wrapped.env);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function outcomeOf(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 15_000,
      killSignal: 'SIGKILL',
    });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(0, 300);
    });
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (status, signal) => {
      if (status === 0) return resolve(undefined);
      const words = complaint.trim().split('\n')[0];
      resolve(meanings.get(status ?? -1) ?? (words || `the probe ended with ${signal ?? `exit status ${status}`}`));
    });
  });
}
