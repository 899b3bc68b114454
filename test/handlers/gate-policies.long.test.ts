import { afterAll, beforeAll, expect, test } from 'vitest';
import { TransientError } from '../../src/errors.ts';
import { permissionNow } from '../../src/handlers/asked.ts';
import { testDatabase } from '../database.ts';
import { setStage } from '../stage.ts';
import { startWorld, type World } from '../world.ts';
import { addPerson, configWithGate, replies, summary } from './people.ts';

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

test('the owners of the touched files release it, by CODEOWNERS of the base; the pull request cannot make itself an owner (SEC-B-13)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ from: { codeowners: true } }') });
  addPerson(world, stage, 'owner');
  await world.github.commit(stage.repository, {
    branch: 'main',
    author: `dev-${stage.owner}`,
    message: 'Owners',
    files: { '.github/CODEOWNERS': `* @owner-${stage.owner}\n!/docs/ @nobody\n` },
  });
  await world.settled();
  const { number, sha } = await stage.pullRequest({ '.github/CODEOWNERS': `* @reviewer-${stage.owner}\n` });
  const wrong = await stage.say(number, 'reviewer', '/approve');
  expect(wrong.reactions).toEqual(['eyes', '-1']);
  expect(wrong.reply).toContain('only owners of the touched files count');
  expect(summary(world, stage, sha)).toContain('cannot be read and does not count: 2.');
  const right = await stage.say(number, 'owner', '/approve');
  expect(right.reactions).toEqual(['eyes', 'rocket']);
  expect(summary(world, stage, sha)).toContain('✓ an owner of `.github/CODEOWNERS`');
});

test('a team that CODEOWNERS names counts by active membership (SEC-B-12)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ from: { codeowners: true } }') });
  addPerson(world, stage, 'member');
  addPerson(world, stage, 'invited');
  world.github.createTeam({ organization: stage.owner, slug: 'web', members: [`member-${stage.owner}`] });
  world.github.addToTeam(stage.owner, 'web', `invited-${stage.owner}`, 'pending');
  await world.github.commit(stage.repository, {
    branch: 'main',
    author: `dev-${stage.owner}`,
    message: 'Owners',
    files: { CODEOWNERS: `/site/ @${stage.owner}/web\n` },
  });
  await world.settled();
  const { number } = await stage.pullRequest({ 'site/index.html': '<p>new</p>\n' });
  expect((await stage.say(number, 'invited', '/approve')).reactions).toEqual(['eyes', '-1']);
  expect((await stage.say(number, 'member', '/approve')).reactions).toEqual(['eyes', 'rocket']);
});

test('the check tells the story of its gate before and after the answer; one person counts once (SEC-B-15)', async () => {
  const acme = await setStage(world, { config: configWithGate('{ count: 2 }') });
  const { number, sha } = await acme.pullRequest();
  expect(replies(world, acme, number)).toEqual([]);
  expect(summary(world, acme, sha)).toContain('0 of 2 approvals');
  addPerson(world, acme, 'second');
  const first = await acme.say(number, 'reviewer', '/approve looks fine');
  expect(first.reply).toContain('Counted: 1 of 2');
  expect(acme.check(sha, 'web / Release')).toMatch(/1 of 2 approvals/);
  const again = await acme.say(number, 'reviewer', '/approve read it twice');
  expect(again.reply).toContain('Counted: 1 of 2');
  await acme.say(number, 'second', '/approve');
  expect(acme.check(sha, 'web')).toMatch(/^completed\/success/);
  expect(summary(world, acme, sha)).toMatch(/2 of 2 approvals[^]*approved by comment[^]*read it twice/);
});

test('a team is called once, whatever is redrawn', async () => {
  const stage = await setStage(world);
  world.github.createTeam({ organization: stage.owner, slug: 'release', members: [`reviewer-${stage.owner}`] });
  await world.github.commit(stage.repository, {
    branch: 'main',
    author: `dev-${stage.owner}`,
    message: 'Policy',
    files: { '.github/penstock.yml': configWithGate(`{ from: { teams: [${stage.owner}/release] } }`) },
  });
  await world.settled();
  const { number, sha } = await stage.pullRequest();
  await stage.say(number, 'reader', '/status');
  const called = replies(world, stage, number).filter((body) => body.includes(`@${stage.owner}/release`));
  expect(called).toHaveLength(1);
  expect(called[0]).toContain(`/approve web/Release/Approve ${sha}`);
});

test('identity is the account number: a login that somebody else registered does not count (SEC-B-11)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 2 }') });
  const { number, sha } = await stage.pullRequest();
  addPerson(world, stage, 'other');
  await stage.say(number, 'reviewer', '/approve');
  // As if the account that voted had gone since, and a stranger with write access had taken its login.
  await db
    .updateTable('votes')
    .set({ person_id: 987_654_321 })
    .where('login', '=', `reviewer-${stage.owner}`)
    .execute();
  const second = await stage.say(number, 'other', '/approve');
  expect(second.reply).toContain('Counted: 1 of 2');
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required/);
});

test('rights that were lost before the release do not count (SEC-B-07)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 2 }') });
  const { number } = await stage.pullRequest();
  addPerson(world, stage, 'other');
  await stage.say(number, 'reviewer', '/approve');
  world.github.setPermission(stage.repository, `reviewer-${stage.owner}`, 'read');
  expect((await stage.say(number, 'other', '/approve')).reply).toContain('Counted: 1 of 2');
  expect((await stage.say(number, 'reader', '/why')).reply).toContain('write access is needed, and there is only read');
});

test('while GitHub cannot say who somebody is, nothing is released; then it is (SEC-B-06)', async () => {
  const stage = await setStage(world);
  const { number, sha } = await stage.pullRequest();
  const fault = world.github.faults.failRequests({ path: /collaborators\/reviewer-.*\/permission/, status: 500 });
  await stage.say(number, 'reviewer', '/approve');
  expect(fault.struck()).toBe(1);
  expect(stage.check(sha, 'web')).toMatch(/^completed\/success/);
});

test('after minutes of silence the asker is told that GitHub could not say who they are (SEC-B-06)', async () => {
  const silent = { permissionOf: () => Promise.reject(new TransientError('no answer')) };
  const deps = { github: { ...world.server.deps.github, ...silent }, now: () => new Date(600_000) };
  const reviewer = { id: 1, login: 'reviewer', bot: false };
  const repository = { id: 1, owner: 'acme', name: 'web', installationId: 1 };
  const asked = (since: number) => permissionNow(deps, repository, reviewer, new Date(since).toISOString());
  await expect(asked(400_000)).rejects.toThrow(TransientError);
  expect(await asked(200_000)).toBe('unknown');
});
