import { expect, test } from 'vitest';
import { findAudit } from '../../src/db/audit.ts';
import { setStage } from '../stage.ts';
import { approval, declare } from './declare.ts';
import { refusal } from './door-bench.ts';
import { doorWorld, gate, tokenOf } from './door-world.ts';

// The same door inside `penstock serve`: what pull requests and pushes started, from the AWS CLI or an SDK.

const door = await doorWorld();

test('a pipeline that a pull request started is seen, approved and retried with a key of its repository', async () => {
  const stage = await setStage(door.world);
  const { number, sha } = await stage.pullRequest();
  const client = await door.clientOf(stage, { mayApprove: true });
  const name = `web@pr-${number}`;
  const { pipelines } = await client.listPipelines();
  expect(pipelines?.map((one) => one.name)).toEqual(['web', name]);
  expect((await client.getPipeline({ name })).pipeline?.stages?.map((one) => one.name)).toContain('Release');
  const { pipelineExecutionSummaries } = await client.listPipelineExecutions({ pipelineName: name });
  expect(pipelineExecutionSummaries).toMatchObject([
    { status: 'InProgress', sourceRevisions: [{ revisionId: sha }], trigger: { triggerType: 'WebhookV2' } },
  ]);
  const reject = { ...gate, pipelineName: name, result: { status: 'Rejected', summary: 'not today' } } as const;
  await client.putApprovalResult({ ...reject, token: await tokenOf(client, name) });
  await door.world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/failure/);
  const { pipelineExecutionId } = pipelineExecutionSummaries![0]!;
  const retry = { stageName: 'Release', pipelineExecutionId, retryMode: 'FAILED_ACTIONS' } as const;
  await client.retryStageExecution({ ...retry, pipelineName: name });
  await door.world.settled();
  const approve = { ...reject, result: { status: 'Approved', summary: 'now' } } as const;
  await client.putApprovalResult({ ...approve, token: await tokenOf(client, name) });
  await door.world.settled();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/success/);
  const rows = await findAudit(door.world.server.database.db, { execution: pipelineExecutionId!, limit: 100 });
  expect(rows.filter((row) => row.who.includes('user/penstock/AKIA')).length).toBeGreaterThanOrEqual(3);
});

test('the name alone is the lane of pushes: it starts on the head of the branch, stops, holds and rolls back', async () => {
  const stage = await setStage(door.world);
  const pull = await stage.pullRequest();
  const client = await door.clientOf(stage);
  const name = 'web';
  const state = await client.getPipelineState({ name });
  expect(state.stageStates?.every((one) => one.latestExecution === undefined)).toBe(true);
  const { pipelineExecutionSummaries } = await client.listPipelineExecutions({ pipelineName: `web@pr-${pull.number}` });
  const { pipelineExecutionId: inPull } = pipelineExecutionSummaries![0]!;
  expect(await refusal(client.getPipelineExecution({ pipelineName: name, pipelineExecutionId: inPull }))).toBe(
    `PipelineExecutionNotFoundException: The pipeline execution with ID ${inPull} does not exist in the pipeline web. Name the pipeline web@pr-${pull.number}, where it runs.`,
  );
  const { pipelineExecutionId } = await client.startPipelineExecution({ name });
  const started = { pipelineExecutionId };
  await door.world.settled();
  const { pipelineExecution } = await client.getPipelineExecution({ pipelineName: name, ...started });
  expect(pipelineExecution).toMatchObject({ status: 'InProgress', trigger: { triggerType: 'StartPipelineExecution' } });
  await client.disableStageTransition({
    pipelineName: name,
    stageName: 'Release',
    transitionType: 'Inbound',
    reason: 'freeze',
  });
  await client.stopPipelineExecution({ pipelineName: name, ...started, abandon: true, reason: 'enough' });
  await door.world.settled();
  const { pipelineExecutionSummaries: after } = await client.listPipelineExecutions({ pipelineName: name });
  expect(after?.map((one) => one.status)).toEqual(['Stopped']);
});

test('a pipeline made through the door runs there too, and GitHub hears nothing of it', async () => {
  const stage = await setStage(door.world);
  const client = await door.clientOf(stage, { mayApprove: false });
  const name = 'by-hand';
  const writes = door.world.github.writes().length;
  await client.createPipeline({ pipeline: declare({ Gate: { Approve: approval } }, { name }) });
  await door.world.settled();
  const { stageStates } = await client.getPipelineState({ name });
  expect(stageStates?.[0]?.latestExecution?.status).toBe('Failed');
  expect(door.world.github.writes()).toHaveLength(writes);
});
