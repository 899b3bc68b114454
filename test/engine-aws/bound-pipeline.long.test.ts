import { afterAll, expect, test } from 'vitest';
import { awsEventsPath } from '../../src/main/aws-events.ts';
import { eventsKeyOf } from '../../src/main/aws-targets.ts';
import { testDatabase } from '../database.ts';
import { startBoundWorld } from './bound-world.ts';
import { awsError, role } from './fake-aws.ts';

const { open } = await testDatabase();
const secrets = [{ name: 'KEY', value: '7f3c-first-half\nsecond-half-9a1e', repositories: [] }];
const pipelines = [
  { name: 'started', starts: 'bot', on: '{ pullRequest: [{}] }' },
  { name: 'adopted', starts: 'aws', on: '{ pullRequest: [{}] }' },
] as const;
const bound = await startBoundWorld(open, pipelines, { secrets });
const { world, aws, owner, repository, pullRequest, look, newest, say } = bound;

afterAll(() => world.stop());

test('a pull request shows the stages of its AWS pipeline with masked logs (SEC-T-14); /retry and /approve reach CodePipeline', async () => {
  const { sha, number } = await pullRequest('one');
  const running = newest('started-prod');
  expect(running.revisions).toEqual({ App: sha });
  await look();
  expect(world.check(repository, sha, 'started / Source')).toMatch(/^completed\/success/);
  expect(world.check(repository, sha, 'started / Build')).toMatch(/^in_progress/);
  aws.finish(running, 'Lint', 'Succeeded');
  aws.builds.push({ id: 'unit:9', logs: { groupName: '/aws/codebuild/unit', streamName: '9' } });
  aws.logs['9'] = ['> npm test', 'login with 7f3c-first-half', 'second-half-9a1e', 'error: the pump is missing'];
  aws.finish(running, 'Unit', 'Failed', {
    externalId: 'unit:9',
    error: { code: 'JobFailed', message: 'Build terminated with state: FAILED' },
  });
  await look();
  expect(world.check(repository, sha, 'started')).toMatch(/^completed\/failure: Failed in Build/);
  const [failed] = world.github.checks(repository, sha).filter((one) => one.name === 'started / Build');
  expect(failed?.text).toContain('the pump is missing');
  // Over two lines, as keys are printed.
  expect(failed?.text).not.toMatch(/first-half|second-half/);
  expect(await say(number, 'dev', '/retry')).toEqual(['eyes', 'rocket']);
  expect(aws.calls.filter((one) => one.call === 'RetryStageExecution')).toHaveLength(1);
  aws.finish(running, 'Unit', 'Succeeded');
  await look();
  expect(world.check(repository, sha, 'started / Release')).toMatch(
    /^completed\/action_required: Waiting for approval/,
  );
  expect(await say(number, 'dev', '/approve started')).toEqual(['eyes', '-1']);
  expect(await say(number, 'reviewer', '/approve started')).toEqual(['eyes', 'rocket']);
  const [answer] = aws.calls.filter((one) => one.call === 'PutApprovalResult');
  expect(answer?.input).toMatchObject({
    actionName: 'Approve',
    result: { status: 'Approved', summary: `@reviewer-${owner}` },
  });
  expect(answer?.subject.person).toBe(`reviewer-${owner}`);
  await look();
  expect(world.check(repository, sha, 'started')).toMatch(/^completed\/success/);
});

test('an event from AWS makes it look at once; with a wrong key, or about something else, nothing happens (SEC-E-18)', async () => {
  const { sha } = await pullRequest('event');
  const running = newest('started-prod');
  aws.finish(running, 'Lint', 'Succeeded');
  aws.finish(running, 'Unit', 'Failed');
  const detail = { pipeline: 'started-prod', 'execution-id': running.id, state: 'SUCCEEDED' };
  const event = { source: 'aws.codepipeline', account: '111122223333', region: 'eu-west-1', detail };
  const send = async (key: string, body: object) => {
    const headers = { 'content-type': 'application/json', 'x-penstock-key': key };
    const answer = await fetch(`${world.server.url}${awsEventsPath}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    await world.settled();
    return `${answer.status} ${await answer.text()}`;
  };
  const key = eventsKeyOf(world.home);
  expect(await send('guess', event)).toBe('401 wrong key');
  expect(await send(key, { ...event, account: '999900001111' })).toBe(
    '202 left alone: no repository is bound to started-prod in 999900001111/eu-west-1',
  );
  expect(await send(key, { source: 'aws.s3' })).toBe('202 left alone: it is not an event of EventBridge');
  expect(world.check(repository, sha, 'started')).not.toMatch(/^completed/);
  expect(await send(key, event)).toBe('202 looking');
  // Not what the event says: what AWS says.
  expect(world.check(repository, sha, 'started')).toMatch(/^completed\/failure/);
});

test('a newer commit stops what runs on AWS for the older one', async () => {
  const { sha } = await pullRequest('two');
  const older = newest('started-prod');
  const files = { 'README.md': 'newer\n' };
  const newer = await world.github.commit(repository, {
    branch: 'two',
    author: `dev-${owner}`,
    message: 'Newer',
    files,
  });
  await world.settled();
  expect(older.status).toBe('Stopped');
  expect(world.check(repository, sha, 'started')).toBe(`completed/cancelled: Superseded by ${newer.slice(0, 7)}`);
  expect(newest('started-prod').revisions).toEqual({ App: newer });
});

test('with `starts: aws` nothing is started and no check pretends; what AWS starts is found, matched and gated', async () => {
  await look();
  const { sha, number } = await pullRequest('three');
  expect(aws.executions.filter((one) => one.pipeline === 'adopted-prod')).toEqual([]);
  expect(world.check(repository, sha, 'adopted')).toBe('none');
  const theirs = aws.begin('adopted-prod', 'WebhookV2', { App: sha });
  aws.finish(theirs, 'Unit', 'Succeeded');
  aws.finish(theirs, 'Lint', 'Succeeded');
  await look();
  await look();
  expect(world.check(repository, sha, 'adopted / Release')).toMatch(/^completed\/action_required/);
  expect(await say(number, 'reviewer', '/approve adopted/Release')).toEqual(['eyes', 'rocket']);
  expect(theirs.status).toBe('Succeeded');
  await look();
  expect(world.check(repository, sha, 'adopted')).toMatch(/^completed\/success/);
});

test('a role without permission makes the check say which action on which ARN is missing', async () => {
  const message =
    'User: arn:aws:sts::111122223333:assumed-role/penstock/repo-1 is not authorized to perform: codepipeline:StartPipelineExecution on resource: arn:aws:codepipeline:eu-west-1:111122223333:started-prod';
  aws.fault('StartPipelineExecution', awsError('AccessDeniedException', message));
  const { sha } = await pullRequest('four');
  expect(world.check(repository, sha, 'started')).toMatch(/^completed\/failure/);
  const [run] = world.github.checks(repository, sha).filter((one) => one.name === 'started');
  expect(run?.summary).toContain('lacks `codepipeline:StartPipelineExecution` on `arn:aws:codepipeline:eu-west-1');
});

test('a command that the role may not pass on is answered with the missing right, not with silence (SEC-T-16)', async () => {
  const { sha, number } = await pullRequest('five');
  aws.finish(newest('started-prod'), 'Unit', 'Failed');
  await look();
  const message = 'is not authorized to perform: codepipeline:RetryStageExecution on resource: arn:of:the:stage';
  aws.fault('RetryStageExecution', awsError('AccessDeniedException', message));
  expect(await say(number, 'dev', '/retry')).toEqual(['eyes', '-1']);
  const replies = world.github.comments(repository, number).map(({ body }) => body);
  expect(replies.at(-1)?.replaceAll('`', '')).toContain(
    `The role ${role} lacks codepipeline:RetryStageExecution on arn:of:the:stage.`,
  );
  expect(await say(number, 'dev', '/retry')).toEqual(['eyes', 'rocket']);
  aws.fault('ListPipelineExecutions', awsError('AccessDeniedException', 'not authorized'), { times: 1000 });
  await look();
  const [build] = world.github.checks(repository, sha).filter((one) => one.name === 'started / Build');
  expect(build?.summary).toContain('How it stands now is not known: The role');
});
