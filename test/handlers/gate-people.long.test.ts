import { afterAll, beforeAll, expect, test } from 'vitest';
import { sweepRepositories } from '../../src/handlers/sweep.ts';
import { testDatabase } from '../database.ts';
import { setStage } from '../stage.ts';
import { startWorld, type World } from '../world.ts';
import { addPerson, configWithGate } from './people.ts';

const { open } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

const two = configWithGate('{ count: 2 }');

test('SEC-A-06 a stored review stays one of the commit that it was given for, whatever GitHub says of it later', async () => {
  const stage = await setStage(world, { config: two });
  addPerson(world, stage, 'other');
  const { number, sha, branch } = await stage.pullRequest();
  await sweepRepositories(world.server.deps);
  const words = { state: 'approved', body: '/approve' } as const;
  const review = await world.github.review(stage.repository, number, `reviewer-${stage.owner}`, words);
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required: 1 of 2/);
  const newer = await stage.commit(branch, { 'README.md': 'B\n' });
  world.github.moveReview(review, newer);
  await world.settled();
  await sweepRepositories(world.server.deps);
  await world.settled();
  expect(stage.check(newer, 'web / Release')).toMatch(/^completed\/action_required: 0 of 2/);
  await stage.say(number, 'other', '/approve');
  expect(stage.check(newer, 'web / Release')).toMatch(/^completed\/action_required: 1 of 2/);
  expect((await stage.say(number, 'reader', '/why')).reply).not.toContain(`✅ \`reviewer-${stage.owner}\``);
});

test('SEC-B-11 an approval stays that of its account: under a new login it counts, whoever has the old one', async () => {
  const stage = await setStage(world, { config: two });
  addPerson(world, stage, 'other');
  const { number, sha } = await stage.pullRequest();
  await stage.say(number, 'reviewer', '/approve');
  world.github.renameAccount(`reviewer-${stage.owner}`, `renamed-${stage.owner}`);
  addPerson(world, stage, 'reviewer', 'read');
  const why = (await stage.say(number, 'reader', '/why')).reply;
  expect(why).toContain('1 of 2 approvals');
  expect(why).toContain(`\`renamed-${stage.owner}\` approved`);
  expect((await stage.say(number, 'reviewer', '/reject no')).reply).toContain('needs write access');
  await stage.say(number, 'other', '/approve');
  expect(stage.check(sha, 'web')).toMatch(/^completed\/success/);
});

test('SEC-B-07 the approval of an account that was deleted does not count', async () => {
  const stage = await setStage(world, { config: two });
  addPerson(world, stage, 'other');
  const { number, sha } = await stage.pullRequest();
  await stage.say(number, 'reviewer', '/approve');
  world.github.deleteAccount(`reviewer-${stage.owner}`);
  expect((await stage.say(number, 'other', '/approve')).reply).toContain('Counted: 1 of 2');
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required: 1 of 2/);
});

test('SEC-B-12 whoever left the team before the release does not count, nor does anybody when the team was renamed', async () => {
  const stage = await setStage(world);
  for (const name of ['leaver', 'member', 'third']) addPerson(world, stage, name);
  const members = ['leaver', 'member', 'third'].map((name) => `${name}-${stage.owner}`);
  world.github.createTeam({ organization: stage.owner, slug: 'release', members });
  const policy = `{ count: 2, from: { teams: [${stage.owner}/release] } }`;
  await stage.commit('main', { '.github/penstock.yml': configWithGate(policy) });
  await world.settled();
  const { number, sha } = await stage.pullRequest();
  await stage.say(number, 'leaver', '/approve');
  world.github.removeFromTeam(stage.owner, 'release', `leaver-${stage.owner}`);
  expect((await stage.say(number, 'member', '/approve')).reply).toContain('Counted: 1 of 2');
  world.github.renameTeam(stage.owner, 'release', 'ship');
  expect((await stage.say(number, 'third', '/approve')).reply).toContain('only members of team');
  expect((await stage.say(number, 'reader', '/why')).reply).toContain('0 of 2 approvals');
  world.github.renameTeam(stage.owner, 'ship', 'release');
  await stage.say(number, 'third', '/approve');
  expect(stage.check(sha, 'web')).toMatch(/^completed\/success/);
});
