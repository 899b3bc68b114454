import { afterAll, expect, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { startBoundWorld } from './bound-world.ts';
import { awsError } from './fake-aws.ts';

const { open } = await testDatabase();
const bound = await startBoundWorld(open, [{ name: 'shop', starts: 'bot', on: '{ pullRequest: [{}] }' }]);
const { world, aws, repository, pullRequest, look, newest, say } = bound;
const noAnswer = awsError('TimeoutError', 'no answer', 500);

afterAll(() => world.stop());

function count(call: string): number {
  return aws.calls.filter((one) => one.call === call).length;
}

/** Says it while the answer of that call is lost; AWS is looked at, by an event, before the delivery is tried again. */
async function sayUnheard(call: string, number: number, login: string, body: string): Promise<readonly string[]> {
  const before = count(call);
  aws.fault(call, noAnswer, { after: true });
  const said = say(number, login, body);
  while (count(call) === before) await new Promise((resolve) => setTimeout(resolve, 5));
  await look();
  const reactions = await said;
  expect(count(call)).toBe(before + 1);
  return reactions;
}

test('/retry, /stop and /approve whose answers from AWS are lost take effect once, and are answered as done (CP-O-3)', async () => {
  const { sha, number } = await pullRequest('lost');
  const running = newest('shop-prod');
  aws.finish(running, 'Lint', 'Succeeded');
  aws.finish(running, 'Unit', 'Failed');
  await look();
  expect(await sayUnheard('RetryStageExecution', number, 'dev', '/retry')).toEqual(['eyes', 'rocket']);
  expect(running.actions.filter(({ action }) => action === 'Unit')).toHaveLength(2);
  expect(await sayUnheard('StopPipelineExecution', number, 'dev', '/stop abandon')).toEqual(['eyes', 'rocket']);
  expect(world.check(repository, sha, 'shop')).toMatch(/^completed\/cancelled: Stopped/);
  expect(await say(number, 'dev', '/retry')).toEqual(['eyes', 'rocket']);
  aws.finish(running, 'Unit', 'Succeeded');
  await look();
  expect(await sayUnheard('PutApprovalResult', number, 'reviewer', `/approve ${sha}`)).toEqual(['eyes', 'rocket']);
  await look();
  expect(world.check(repository, sha, 'shop')).toMatch(/^completed\/success/);
  const release = world.github.checks(repository, sha).find(({ name }) => name === 'shop / Release');
  expect(release?.summary).toContain(`reviewer-${bound.owner}`);
  const said = world.github.comments(repository, number).map(({ body }) => body);
  expect(said.filter((body) => !body.startsWith('/'))).toEqual([]);
});

test('/rollback brings back the execution before the one that is there, once, although the answer was lost', async () => {
  const { sha, number } = await pullRequest('back');
  const succeed = async (): Promise<string> => {
    const running = newest('shop-prod');
    aws.finish(running, 'Lint', 'Succeeded');
    aws.finish(running, 'Unit', 'Succeeded');
    aws.finish(running, 'Approve', 'Succeeded');
    await look();
    expect(world.check(repository, sha, 'shop')).toMatch(/^completed\/success/);
    return running.id;
  };
  const first = await succeed();
  expect(await say(number, 'dev', '/rerun shop')).toEqual(['eyes', 'rocket']);
  const second = await succeed();
  expect(second).not.toBe(first);
  expect(await sayUnheard('RollbackStage', number, 'reviewer', '/rollback shop/Build')).toEqual(['eyes', 'rocket']);
  const made = aws.executions.filter(({ rollbackTarget }) => rollbackTarget !== undefined);
  expect(made.map(({ rollbackTarget }) => rollbackTarget)).toEqual([first]);
});
