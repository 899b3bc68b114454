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
    ['the last of the disk', { freeBytes: Number.MAX_SAFE_INTEGER }, 'sleep 60', 'the disk has less than'],
  ])('ends a step that takes too much of: %s (SEC-C-14)', async (_name, limits, script, reason) => {
    const { result, marker } = await run(isolation, script, { limits: { ...defaultLimits, ...limits } });
    expect(result).toMatchObject({ kind: 'over-limit', reason: expect.stringContaining(reason) });
    expect(findMarked(marker)).toEqual([]);
  });

  it('counts memory that forks share only once', async () => {
    const script = `for i in 1 2 3 4; do node -e 'setTimeout(() => {}, 2000)' & done; wait; echo lived`;
    const limits = { ...defaultLimits, memoryBytes: 150 * 1024 ** 2 };
    const { output } = await run(isolation, script, { limits });
    expect(output).toBe('lived\n');
  });
});
