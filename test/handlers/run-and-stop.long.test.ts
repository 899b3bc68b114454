import { afterAll, beforeAll, expect, test } from 'vitest';
import { executionsOfPullRequest } from '../../src/db/executions.ts';
import { testDatabase } from '../database.ts';
import { setStage, type Stage } from '../stage.ts';
import { startWorld, type World } from '../world.ts';
import { configWithGate, forkPullRequest } from './people.ts';

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

const docs = '  docs:\n    definition: ci/web.pipeline.json\n    on: { pullRequest: [{}] }\n';
const config = `${configWithGate('{ count: 1 }')}${docs}`;

/** `pipeline: status` of what ran for the pull request, newest first. */
async function ran(stage: Stage, number: number) {
  const { id } = await db
    .selectFrom('repositories')
    .select('id')
    .where('owner', '=', stage.owner)
    .executeTakeFirstOrThrow();
  return await executionsOfPullRequest(db, id, number);
}

async function statuses(stage: Stage, number: number): Promise<readonly string[]> {
  const records = await ran(stage, number);
  return records.map(({ execution, status }) => `${execution.pipeline}: ${status}`).toSorted();
}

test('/stop stops the pipeline that is named, or everything; what is over is not stopped again', async () => {
  const stage = await setStage(world, { config });
  const { number } = await stage.pullRequest();
  expect((await stage.say(number, 'dev', '/stop web abandon wrong branch')).reactions).toEqual(['eyes', 'rocket']);
  expect(await statuses(stage, number)).toEqual(['docs: InProgress', 'web: Stopped']);
  const stopped = (await ran(stage, number)).find(({ pipeline }) => pipeline === 'web');
  expect(stopped?.execution.stop?.reason).toBe('wrong branch');
  expect((await stage.say(number, 'dev', '/stop web')).reply).toContain('Nothing of `web` runs here');
  expect((await stage.say(number, 'dev', '/stop abandon')).reactions).toEqual(['eyes', 'rocket']);
  expect(await statuses(stage, number)).toEqual(['docs: Stopped', 'web: Stopped']);
  expect((await stage.say(number, 'dev', '/stop')).reply).toContain('Nothing runs here');

  expect((await stage.say(number, 'dev', '/retry web')).reactions).toEqual(['eyes', 'rocket']);
  expect(await statuses(stage, number)).toEqual(['docs: Stopped', 'web: InProgress']);
  expect((await stage.say(number, 'dev', '/retry web')).reply).toMatch(
    /Only a failed or stopped .*`web` is InProgress/,
  );
});

test('/run and /rerun start the pipeline that is named; several are not guessed, and variables have their values', async () => {
  const stage = await setStage(world, { config });
  const { number, sha } = await stage.pullRequest();
  const which = (await stage.say(number, 'dev', '/run')).reply;
  expect(which).toContain('Which one? `/penstock run web`, `/penstock run docs`');
  expect((await stage.say(number, 'dev', '/run web LEVEL=high')).reactions).toEqual(['eyes', 'rocket']);
  const [newest, ...older] = (await ran(stage, number)).filter(({ pipeline }) => pipeline === 'web');
  expect(older).toHaveLength(1);
  expect(newest?.execution.variables).toEqual([{ name: 'LEVEL', value: 'high' }]);
  expect(newest?.context).toMatchObject({ headSha: sha, cause: `/run by dev-${stage.owner}` });
  await stage.say(number, 'dev', '/rerun docs');
  const all = await ran(stage, number);
  expect(all.filter(({ pipeline }) => pipeline === 'docs')).toHaveLength(2);
  expect(all.filter(({ pipeline }) => pipeline === 'web')).toHaveLength(2);
});

test('/run starts nothing of a fork, whoever asks, and says which line does', async () => {
  const stage = await setStage(world, { config });
  const { number, sha } = await forkPullRequest(world, stage);
  const { reactions, reply } = await stage.say(number, 'dev', '/run web');
  expect(reactions).toEqual(['eyes', '-1']);
  expect(reply).toContain(`/penstock ok-to-test ${sha}`);
  expect((await stage.say(number, 'dev', '/rerun')).reply).toContain('No pipeline ran here yet');
  expect(await ran(stage, number)).toEqual([]);
  const own = await stage.pullRequest();
  const allowed = await stage.say(own.number, 'dev', `/ok-to-test ${own.sha}`);
  expect(allowed.reply).toContain('not from a fork');
});
