import { expect, test } from 'vitest';
import { callPipelines, type StartingDoor } from '../../src/main/call-pipeline.ts';
import { codePipeline } from '../../src/providers/code-pipeline.ts';
import { testDatabase } from '../database.ts';
import { approval, declare } from './declare.ts';
import { doorBench, refusal } from './door-bench.ts';

/** The invoke action CodePipeline (CP 5.4): pipelines of one scope start each other and wait for nothing. */

const database = await testDatabase();
const door: { current?: StartingDoor } = {};
const provider = codePipeline(callPipelines(() => door.current!));
const bench = await doorBench(database, () => ({ actionTypeId: { provider: name } }) => {
  return name === 'CodePipeline' ? provider : undefined;
});
door.current = bench.door;
const { client } = bench;

const call = (configuration: Record<string, string>): typeof approval => ({
  actionTypeId: { category: 'Invoke', owner: 'AWS', provider: 'CodePipeline', version: '1' },
  configuration,
  inputArtifacts: [],
});

const executionsOf = async (pipelineName: string, asked = client) =>
  (await asked.listPipelineExecutions({ pipelineName })).pipelineExecutionSummaries ?? [];

async function callOf(pipelineName: string) {
  await bench.engine.settled();
  const { actionExecutionDetails = [] } = await client.listActionExecutions({ pipelineName });
  return actionExecutionDetails.find(({ actionName }) => actionName === 'Next');
}

test('another pipeline starts with variables and a revision, and the caller ends without waiting for it', async () => {
  const target = declare({ Gate: { Ok: approval } }, { variables: [{ name: 'TAG', defaultValue: 'none' }] });
  await client.createPipeline({ pipeline: target });
  const before = await executionsOf(target.name!);
  const caller = declare({
    Go: {
      Next: call({
        PipelineName: target.name!,
        Variables: '[{"name":"TAG","value":"#{codepipeline.PipelineExecutionId}"}]',
        SourceRevisions: '[{"actionName":"Fetch","revisionType":"S3_OBJECT_VERSION_ID","revisionValue":"v7"}]',
      }),
    },
  });
  await client.createPipeline({ pipeline: caller });
  const called = await callOf(caller.name!);
  expect(called?.status).toBe('Succeeded');
  const id = called?.output?.executionResult?.externalExecutionId;
  expect(called?.output?.executionResult?.externalExecutionSummary).toBe(`Started ${target.name}: ${id}`);
  const [started, ...others] = await executionsOf(target.name!);
  expect([others.length, started?.pipelineExecutionId, started?.status]).toEqual([before.length, id, 'InProgress']);
  expect(started?.trigger).toEqual({
    triggerType: 'StartPipelineExecution',
    triggerDetail: `arn:aws:codepipeline:eu-west-1:111122223333:${caller.name}/Go/Next`,
  });
  const { pipelineExecution } = await client.getPipelineExecution({
    pipelineName: target.name!,
    pipelineExecutionId: id!,
  });
  expect(pipelineExecution?.variables).toEqual([{ name: 'TAG', resolvedValue: called?.pipelineExecutionId }]);
});

test('what cannot be started fails the action with the reason, and nothing of another scope exists for it', async () => {
  const mine = await bench.key({ repositoryId: 42 });
  const repository = bench.clientOf(mine);
  const secret = declare({ Gate: { Ok: approval } });
  await repository.createPipeline({ pipeline: secret });
  const before = (await executionsOf(secret.name!, repository)).length;
  const target = declare({ Gate: { Ok: approval } });
  await client.createPipeline({ pipeline: target });
  const cases: [Record<string, string>, RegExp][] = [
    [{ PipelineName: secret.name! }, /^There is no pipeline 'p-\w+' here that this one may start/],
    [{ PipelineName: 'nowhere' }, /^There is no pipeline 'nowhere' here/],
    [
      { PipelineName: target.name!, Variables: '[{"name":"A","value":"1"},{"name":"A","value":"2"}]' },
      /A is given more/,
    ],
    [{ PipelineName: target.name!, Variables: 'A=1' }, /^Configuration 'Variables': this is no JSON of the form \[/],
    [
      {
        PipelineName: target.name!,
        SourceRevisions: '[{"actionName":"No","revisionType":"COMMIT_ID","revisionValue":"a"}]',
      },
      /no source action named 'No'/,
    ],
  ];
  for (const [configuration, reason] of cases) {
    const caller = declare({ Go: { Next: call(configuration) } });
    await client.createPipeline({ pipeline: caller });
    const called = await callOf(caller.name!);
    expect([called?.status, called?.output?.executionResult?.errorDetails?.code]).toEqual([
      'Failed',
      'ConfigurationError',
    ]);
    expect(called?.output?.executionResult?.errorDetails?.message).toMatch(reason);
  }
  expect(await executionsOf(secret.name!, repository)).toHaveLength(before);
});

test('a ring of pipelines ends after ten calls', async () => {
  const name = 'ring';
  await client.createPipeline({ pipeline: declare({ Go: { Next: call({ PipelineName: name }) } }, { name }) });
  await bench.engine.settled();
  const all = await executionsOf(name);
  expect(all.map(({ status }) => status).filter((status) => status === 'Failed')).toHaveLength(1);
  expect(all).toHaveLength(11);
  expect((await callOf(name))?.output?.executionResult?.errorDetails?.message).toMatch(
    /^10 pipelines called one another/,
  );
});

test('CP-D-22: only in pipelines of type V2', async () => {
  const declared = declare({ Go: { Next: call({ PipelineName: 'x' }) } }, { pipelineType: 'V1' });
  expect(await refusal(client.createPipeline({ pipeline: declared }))).toContain('can only be used with V2 pipelines');
});
