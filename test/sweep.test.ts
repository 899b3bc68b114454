import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { sweepDeliveries } from '../src/handlers/sweep.ts';
import { testDatabase } from './database.ts';
import { setStage, type Stage } from './stage.ts';
import { sweepByHand } from './sweep-by-hand.ts';
import { startWorld, type World } from './world.ts';

const { open } = await testDatabase();
let world: World;
let stage: Stage;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

beforeEach(async () => {
  stage = await setStage(world);
});

afterEach(() => world.github.faults.clear());

afterAll(() => world.stop());

// First: others drop webhooks too, and GitHub keeps all of them on its list.
test('deliveries that GitHub recorded as failed are asked for again, once', async () => {
  const { github } = world;
  github.faults.dropWebhooks({ times: 3 });
  const { sha } = await stage.pullRequest();
  expect(github.checks(stage.repository, sha)).toEqual([]);
  await sweepDeliveries(world.server.deps);
  await world.settled();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/action_required/);
  const redelivered = github.deliveries().filter((one) => one.redelivery).length;
  expect(redelivered).toBe(3);
  await sweepDeliveries(world.server.deps);
  await world.settled();
  expect(github.deliveries().filter((one) => one.redelivery)).toHaveLength(redelivered);
});

test('a pull request that was closed unnoticed is stopped', async () => {
  const { github } = world;
  const { number, sha } = await stage.pullRequest();
  github.faults.dropWebhooks({ times: Infinity });
  await github.closePullRequest(stage.repository, number, `dev-${stage.owner}`);
  await sweepByHand(world);
  expect(stage.check(sha, 'web')).toMatch(/^completed\/cancelled: Stopped/);
});
