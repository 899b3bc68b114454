import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAudit } from '../../src/cli/audit.ts';
import { testDatabase } from '../database.ts';
import { setStage } from '../stage.ts';
import { startWorld, type World } from '../world.ts';
import { configWithGate } from './people.ts';

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

test('every decision about a pull request is a row: who, what, bound to what, and why; without secrets', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 1 }') });
  const { number, sha } = await stage.pullRequest();
  await stage.say(number, 'dev', '/approve');
  await stage.say(number, 'reader', '/stop');
  await stage.say(number, 'reviewer', '/hold web/Release TOKEN rotation');
  await stage.say(number, 'reviewer', '/approve');
  await stage.say(number, 'dev', '/run web LEVEL=hunter2');
  const rows = (await readAudit(db, { repository: stage.repository, pullRequest: number, limit: 500 })) ?? [];
  expect(rows.map(({ what, who }) => `${what} ${who.replace(`-${stage.owner}`, '')}`)).toEqual([
    'pipeline-start dev',
    'start-started dev',
    'vote-approve dev',
    'vote-not-counted dev',
    'command-approve dev',
    'command-stop reader',
    'pipeline-disable-transition reviewer',
    'command-hold reviewer',
    'vote-approve reviewer',
    'gate-approved reviewer',
    'pipeline-approve reviewer',
    'command-approve reviewer',
    'pipeline-start dev',
    'start-started dev',
    'command-run dev',
  ]);
  const gate = rows.find(({ what }) => what === 'gate-approved');
  expect(gate?.detail).toMatchObject({ gate: 'Release/Approve', headSha: sha, pullRequest: number });
  expect(gate?.detail['configDigest']).toMatch(/^[0-9a-f]{64}$/);
  expect(rows.find(({ what }) => what === 'command-stop')?.why).toMatch(/^not allowed: .*needs write access/);
  expect(JSON.stringify(rows)).not.toContain('hunter2');
});
