import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { findMarked, killLeftover, type ProcessIdentity } from '../../src/buildspec/processes.ts';
import { availableRungs, temporaryDirectory } from './rungs.ts';

const root = await temporaryDirectory();
const rungs = await availableRungs();

describe.each(rungs)('kill -9 of the process that runs a command on the rung $level', (isolation) => {
  it(
    isolation.contained
      ? 'ends the command with all its processes'
      : 'leaves processes that the next life finds and ends',
    async () => {
      const work = join(root, isolation.level);
      await mkdir(work);
      const marker = `killed-${isolation.level}-${process.pid}`;
      const script = join(import.meta.dirname, 'killed-parent.ts');
      const parent = spawn(process.execPath, [script, isolation.level, marker, work], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
      const identity = JSON.parse(String((await lines.next()).value)) as ProcessIdentity;
      expect((await lines.next()).value).toBe('started');
      await expect.poll(() => findMarked(marker).length).toBeGreaterThanOrEqual(3);
      parent.kill('SIGKILL');
      await once(parent, 'exit');
      if (!isolation.contained) expect(await killLeftover(identity)).toBe(true);
      await expect.poll(() => findMarked(marker)).toEqual([]);
    },
  );
});
