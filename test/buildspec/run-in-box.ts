import type { Isolation, NetworkAccess } from '../../src/buildspec/isolation.ts';
import { runCommand, type CommandResult } from '../../src/buildspec/run-command.ts';
import { makeBox } from './rungs.ts';

export interface Ran {
  readonly result: CommandResult;
  readonly output: string;
  readonly marker: string;
}

type More = Partial<Parameters<typeof runCommand>[0]> & { readonly network?: NetworkAccess };

/** Runs shell scripts to their end, each in new directories below `root`. */
export function runner(root: string): (isolation: Isolation, script: string, more?: More) => Promise<Ran> {
  let count = 0;
  return async (isolation, script, more = {}) => {
    count += 1;
    const box = await makeBox(root, `${isolation.level}-${count}`);
    const marker = `test-${process.pid}-${count}`;
    let output = '';
    const running = runCommand({
      isolation,
      marker,
      command: {
        argv: ['/bin/sh', '-c', script],
        cwd: box.work,
        writable: [box.work],
        home: box.home,
        temporary: box.temporary,
        env: { GIVEN: 'a value; $(id)' },
        network: more.network ?? (isolation.contained ? 'none' : 'host'),
      },
      output: (chunk) => {
        output += chunk.toString();
      },
      deadlineMs: 20_000,
      graceMs: 300,
      ...more,
    });
    return { result: await running.result, output, marker };
  };
}
