import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/buildspec/limits.ts';
import { findMarked } from '../../src/buildspec/processes.ts';
import { runner } from './run-in-box.ts';
import { availableRungs, temporaryDirectory } from './rungs.ts';

const run = runner(await temporaryDirectory());

describe.each(await availableRungs())('what a step may take on the rung $level', (isolation) => {
  it.each([
    ['processes', { processes: 40 }, 'for i in $(seq 80); do sleep 60 & done; wait', 'it ran more than 40 processes'],
    [
      'processes that come faster than they are counted',
      { processes: 200 },
      'tree() { [ "$1" = 0 ] || { tree $(($1 - 1)) & tree $(($1 - 1)) & }; sleep 60; }; tree 10',
      'it ran more than 200 processes',
    ],
    [
      'memory, all processes together',
      { memoryBytes: 150 * 1024 ** 2 },
      'for i in 1 2 3 4; do (head -c 60000000 /dev/zero; sleep 60) | tail -c 60000000 > /dev/null & done; wait',
      'it took more than 150 MiB of memory',
    ],
    [
      'memory',
      { memoryBytes: 150 * 1024 ** 2 },
      'node -e "const a = []; setInterval(() => a.push(Buffer.alloc(2e7, 1)), 20)"',
      'it took more than 150 MiB of memory',
    ],
    [
      'disk',
      { diskBytes: 50 * 1024 ** 2 },
      'for i in $(seq 30); do head -c 5000000 /dev/zero > f$i; done; sleep 60',
      'it wrote more than 50 MiB',
    ],
    [
      'files',
      { files: 2_000 },
      'i=0; while [ $i -lt 3000 ]; do : > f$i; i=$((i+1)); done; sleep 60',
      'it made more than 2000 files',
    ],
    [
      'disk that has no name',
      { diskBytes: 50 * 1024 ** 2 },
      'exec 5> f; rm f; head -c 150000000 /dev/zero >&5; sleep 60',
      'it wrote more than 50 MiB',
    ],
    [
      'disk where no path reaches',
      {},
      `python3 -c 'import os, time
for _ in range(40): os.mkdir("d" * 200); os.chdir("d" * 200)
time.sleep(60)'`,
      'whose path is longer than the system can name',
    ],
    [
      "memory that is no process's own",
      { memoryBytes: 150 * 1024 ** 2 },
      `python3 -c 'import os, time
f = os.memfd_create("x"); block = b"x" * 1000000
for _ in range(250): os.write(f, block)
time.sleep(60)'`,
      'it took more than 150 MiB of memory',
    ],
    ['places for files', { freeFiles: Number.MAX_SAFE_INTEGER }, 'sleep 60', 'the disk has room for fewer than'],
    ['the last of the disk', { freeBytes: Number.MAX_SAFE_INTEGER }, 'sleep 60', 'the disk has less than'],
  ])('ends a step that takes too much of: %s (SEC-C-14)', async (_name, limits, script, reason) => {
    const { result, marker } = await run(isolation, script, { limits: { ...defaultLimits, ...limits } });
    expect(result).toMatchObject({ kind: 'over-limit', reason: expect.stringContaining(reason) });
    expect(findMarked(marker)).toEqual([]);
  });

  it('counts files with two names, and memory files that several processes have mapped, only once', async () => {
    const script = `head -c 30000000 /dev/zero > a; for i in 1 2 3; do ln a b$i; done
python3 -c 'import mmap, os, time
f = os.memfd_create("x"); os.ftruncate(f, 60000000); m = mmap.mmap(f, 60000000); m.write(b"x" * 60000000)
os.fork(); time.sleep(3)'; echo lived`;
    const limits = { ...defaultLimits, memoryBytes: 150 * 1024 ** 2, diskBytes: 50 * 1024 ** 2 };
    const { output } = await run(isolation, script, { limits });
    expect(output).toBe('lived\n');
  });

  it('survives a fork bomb, and nothing of it is left', async () => {
    const limits = { ...defaultLimits, processes: 300 };
    // Each generation ends by itself, so that a test that fails leaves no bomb behind.
    const bomb = 'bomb() { [ "$1" = 0 ] || { bomb $(($1 - 1)) & bomb $(($1 - 1)) & }; sleep 20; }; bomb 11';
    const { result, marker } = await run(isolation, `trap "" TERM; ${bomb}`, { limits });
    expect(result).toMatchObject({ kind: 'over-limit', reason: 'it ran more than 300 processes' });
    expect(findMarked(marker)).toEqual([]);
  });

  it('counts memory that forks share only once', async () => {
    const script = `for i in 1 2 3 4; do node -e 'setTimeout(() => {}, 2000)' & done; wait; echo lived`;
    const limits = { ...defaultLimits, memoryBytes: 150 * 1024 ** 2 };
    const { output } = await run(isolation, script, { limits });
    expect(output).toBe('lived\n');
  });
});
