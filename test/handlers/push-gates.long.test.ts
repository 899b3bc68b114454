import { afterAll, beforeAll, expect, test } from 'vitest';
import { executionsFor } from '../../src/db/executions.ts';
import { testDatabase } from '../database.ts';
import { setStage, type Stage } from '../stage.ts';
import { startWorld, type World } from '../world.ts';
import { addPerson, replies, summary } from './people.ts';

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

const pushesOnly = `pipelines:
  web:
    definition: ci/web.pipeline.json
    on: { push: [{ branches: { includes: [main] } }] }
`;

function notices(stage: Stage, number: number): readonly string[] {
  return replies(world, stage, number).filter((body) => body.includes('waits for approval of'));
}

test.each(['merge', 'squash', 'rebase'] as const)(
  'the gate of a %s is announced once in the merged pull request, and its commands are taken there; nobody with a part in it counts (SEC-B-02)',
  async (method) => {
    const stage = await setStage(world, { config: pushesOnly });
    const { number, branch } = await stage.pullRequest();
    addPerson(world, stage, 'helper');
    const more = { branch, author: `helper-${stage.owner}`, message: 'Help', files: { 'help.txt': 'x\n' } };
    await world.github.commit(stage.repository, { ...more, by: addPerson(world, stage, 'pusher').login });
    await world.settled();
    const merged = await world.github.mergePullRequest(stage.repository, number, `reviewer-${stage.owner}`, method);
    await world.settled();
    const [notice, ...others] = notices(stage, number);
    expect(others).toEqual([]);
    expect(notice).toContain(`/approve web/Release/Approve ${merged}`);
    addPerson(world, stage, 'releaser');
    expect((await stage.say(number, 'dev', '/approve')).reply).toContain('an author does not count');
    expect((await stage.say(number, 'pusher', '/approve')).reply).toMatch(/does not count/);
    expect((await stage.say(number, 'helper', '/approve')).reply).toMatch(/does not count/);
    expect((await stage.say(number, 'reviewer', '/approve')).reply).toMatch(/does not count/);
    expect((await stage.say(number, 'releaser', '/approve')).reactions).toEqual(['eyes', 'rocket']);
    expect(notices(stage, number)).toHaveLength(1);
    expect(stage.check(merged, 'web')).toMatch(/^completed\/success/);
  },
);

test('while GitHub lags behind a merge its execution has no owner; it is asked again at the gate, and stored', async () => {
  const stage = await setStage(world, { config: pushesOnly });
  world.github.faults.lagPullRequestsOfMerges(3);
  const { number, branch } = await stage.pullRequest();
  const helper = addPerson(world, stage, 'helper');
  const more = { branch, author: helper.login, message: 'Help', files: { 'help.txt': 'x\n' } };
  await world.github.commit(stage.repository, more);
  await world.settled();
  const merged = await world.github.mergePullRequest(stage.repository, number, `reviewer-${stage.owner}`, 'squash');
  await world.settled();
  const id = (
    await db.selectFrom('repositories').select('id').where('owner', '=', stage.owner).executeTakeFirstOrThrow()
  ).id;
  const [record] = await executionsFor(db, id, merged);
  expect(record?.pullRequest).toBe(number);
  const people = record?.context.authors.map(({ login }) => login) ?? [];
  expect(people[0]).toBe(`dev-${stage.owner}`);
  expect(people).toContain(helper.login);
  expect(record?.context.lastPusher?.login).toBe(`reviewer-${stage.owner}`);
  expect(notices(stage, number)).toHaveLength(1);
  world.github.faults.clear();
});

test('a push that no pull request owns has buttons only, and its check says so; whoever pushed does not count', async () => {
  const stage = await setStage(world, { config: pushesOnly });
  const sha = await stage.commit('main', { 'README.md': 'straight to main\n' });
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toContain('press Approve on this check');
  expect(summary(world, stage, sha)).toContain('No pull request belongs to this commit');
  const click = { checkName: 'web / Release', sha, identifier: 'approve' };
  await world.github.clickButton(stage.repository, { ...click, login: `dev-${stage.owner}` });
  await world.settled();
  const refusal = await db
    .selectFrom('human_commands')
    .select('answer')
    .where('login', '=', `dev-${stage.owner}`)
    .executeTakeFirst();
  expect(refusal?.answer).toContain('does not count');
  await world.github.clickButton(stage.repository, { ...click, login: `reviewer-${stage.owner}` });
  await world.settled();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/success/);
  const second = await stage.commit('main', { 'README.md': 'once more\n' });
  await world.settled();
  await world.github.clickButton(stage.repository, { ...click, sha: second, login: `reviewer-${stage.owner}` });
  await world.settled();
  const run = world.github.checks(stage.repository, second).find((one) => one.name === 'web / Release');
  expect(run?.actions.map(({ identifier }) => identifier)).toEqual(['rollback']);
});
