import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { setStage } from '../stage.ts';
import { startWorld, type World } from '../world.ts';

/** CP 5.4 between pipelines that a repository declares. */

const { open } = await testDatabase();
let world: World;
beforeAll(async () => {
  world = await startWorld({ database: open });
});
afterAll(() => world.stop());

const aws = { owner: 'AWS', version: '1' };

function config(owner: string, called: string): string {
  const source = {
    name: 'Source',
    actions: [
      {
        name: 'Checkout',
        actionTypeId: { category: 'Source', provider: 'CodeStarSourceConnection', ...aws },
        configuration: { ConnectionArn: 'arn:x', FullRepositoryId: `${owner}/web`, BranchName: 'main' },
        outputArtifacts: [{ name: 'Src' }],
      },
    ],
  };
  const last = (name: string, type: { category: string; provider: string }, more: object) => ({
    name,
    actions: [{ name, actionTypeId: { ...type, ...aws }, ...more }],
  });
  const call = { configuration: { PipelineName: called, Variables: '[{"name":"FROM","value":"web"}]' } };
  const commands = { commands: ['echo called from #{variables.FROM}', 'sh run.sh'], inputArtifacts: [{ name: 'Src' }] };
  const never = { push: [{ branches: { includes: ['never'] } }] };
  return JSON.stringify({
    pipelines: {
      web: {
        on: { push: [{ branches: { includes: ['main'] } }], pullRequest: [{ branches: { includes: ['main'] } }] },
        stages: [source, last('Go', { category: 'Invoke', provider: 'CodePipeline' }, call)],
      },
      next: {
        on: never,
        variables: [{ name: 'FROM', defaultValue: 'nobody' }],
        stages: [source, last('Run', { category: 'Compute', provider: 'Commands' }, commands)],
      },
    },
  });
}

test('a pipeline of a repository starts another one: on main after a push, in the lane of its pull request before', async () => {
  const stage = await setStage(world);
  const pushed = await stage.commit('main', { '.github/penstock.yml': config(stage.owner, 'next') });
  await world.settled();
  expect(stage.check(pushed, 'web')).toMatch(/^completed\/success/);
  expect(stage.check(pushed, 'next')).toMatch(/^completed\/success/);

  const { sha } = await stage.pullRequest({ 'run.sh': 'exit 3\n' });
  expect(stage.check(sha, 'web')).toMatch(/^completed\/success/);
  expect(stage.check(sha, 'next')).toMatch(/^completed\/failure/);
});

test('a pipeline that another repository declares is not found', async () => {
  const other = await setStage(world);
  await other.commit('main', {
    '.github/penstock.yml': config(other.owner, 'next').replaceAll('"next":', '"elsewhere":'),
  });
  await world.settled();
  const stage = await setStage(world);
  const sha = await stage.commit('main', { '.github/penstock.yml': config(stage.owner, 'elsewhere') });
  await world.settled();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/failure/);
  const page = world.github.checks(stage.repository, sha).find(({ name }) => name === 'web / Go');
  expect(JSON.stringify(page)).toContain('has no pipeline elsewhere that can be used');
});
