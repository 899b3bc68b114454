import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { toldHere } from '../../src/main/told.ts';
import { findingsOf } from '../../src/providers/findings-file.ts';
import { temporaryDirectory } from '../buildspec/rungs.ts';

it('the phases of a build are kept with its end, for replicas that do not hold its files', async () => {
  const home = await temporaryDirectory();
  mkdirSync(join(home, 'logs', 'e'), { recursive: true });
  const build = { phaseType: 'BUILD', phaseStatus: 'FAILED', startTime: 'a', endTime: 'b', attempts: 2 };
  const record = {
    phases: [
      { ...build, contexts: [{ message: 'x'.repeat(5000) }] },
      { phaseType: 'COMPLETED', startTime: 'b' },
    ],
  };
  writeFileSync(join(home, 'logs', 'e', 'a.build.json'), JSON.stringify(record));
  const told: unknown = JSON.parse(JSON.stringify(await toldHere(home, 'e', 'a', false)));
  expect(findingsOf(told).phases).toEqual([
    { phase: 'BUILD', status: 'FAILED', startedAt: 'a', endedAt: 'b', attempts: 2, message: 'x'.repeat(2000) },
  ]);
});
