import type { SourceRevisionOverride } from '@aws-sdk/client-codepipeline';
import { expect, test } from 'vitest';
import { apiBench, reached } from './api-bench.ts';
import { declare } from './declare.ts';
import { refusal } from './door-bench.ts';

const { client, store } = await apiBench();

const key = 'app.zip';
/** Its second stage goes into a bucket, or fails for want of one that it may read: the first is retried by name. */
const deploy = {
  actionTypeId: { category: 'Deploy', owner: 'AWS', provider: 'S3', version: '1' },
  configuration: { BucketName: 'released', Extract: 'false', ObjectKey: 'app.zip' },
} as const;

async function put(Key: string, Body: string): Promise<string> {
  const Metadata = { 'codepipeline-artifact-revision-summary': `says ${Body}` };
  return (await store.putObject({ Bucket: 'sources', Key, Body, Metadata })).VersionId!;
}

async function released(): Promise<string> {
  const { Body } = await store.getObject({ Bucket: 'released', Key: key });
  return Body!.transformToString();
}

async function declared(AllowOverrideForS3ObjectKey?: string): Promise<string> {
  const pipeline = declare({ Deploy: { Put: deploy } });
  const configuration = { S3Bucket: 'sources', S3ObjectKey: key, PollForSourceChanges: 'false' };
  pipeline.stages![0]!.actions![0]!.configuration =
    AllowOverrideForS3ObjectKey === undefined ? configuration : { ...configuration, AllowOverrideForS3ObjectKey };
  await client.createPipeline({ pipeline });
  return pipeline.name!;
}

async function start(name: string, given: Readonly<Record<string, string>>): Promise<string> {
  const sourceRevisions = Object.entries(given).map(
    ([revisionType, revisionValue]) => ({ actionName: 'Fetch', revisionType, revisionValue }) as SourceRevisionOverride,
  );
  return (await client.startPipelineExecution({ name, sourceRevisions })).pipelineExecutionId!;
}

test('a start takes the version or the key that it names, and both together (CP-X-9)', async () => {
  const one = await put(key, 'one');
  const two = await put(key, 'two');
  const other = await put('other.zip', 'other');
  const newer = await put('other.zip', 'newer');
  const name = await declared('true');
  const runs: [Readonly<Record<string, string>>, string, string][] = [
    [{}, 'two', two],
    [{ S3_OBJECT_VERSION_ID: one }, 'one', one],
    [{ S3_OBJECT_KEY: 'other.zip' }, 'newer', newer],
    [{ S3_OBJECT_KEY: 'other.zip', S3_OBJECT_VERSION_ID: other }, 'other', other],
  ];
  for (const [given, text, version] of runs) {
    const id = await start(name, given);
    await reached(client, name, id, 'Succeeded');
    expect(await released()).toBe(text);
    const { pipelineExecution } = await client.getPipelineExecution({ pipelineName: name, pipelineExecutionId: id });
    expect(pipelineExecution?.artifactRevisions).toMatchObject([
      { revisionId: version, revisionSummary: `says ${text}` },
    ]);
    const { stageStates } = await client.getPipelineState({ name });
    expect(stageStates?.[0]?.actionStates?.[0]?.latestExecution?.externalExecutionId).toBe(version);
  }
});

test('a retry of the source takes its version again, though a newer one came, and its key (CP-X-47)', async () => {
  const name = await declared('true');
  const first = await put('pinned.zip', 'first');
  const pipeline = declare(
    {},
    { name, stages: (await client.getPipeline({ name })).pipeline!.stages!, executionMode: 'SUPERSEDED' },
  );
  const [source] = pipeline.stages!;
  const missing = { ...source!.actions![0]!, name: 'Missing', outputArtifacts: [{ name: 'More' }] };
  missing.configuration = { ...missing.configuration, S3ObjectKey: 'not-yet.zip' };
  source!.actions!.push(missing);
  await client.updatePipeline({ pipeline });
  const pipelineExecutionId = await start(name, { S3_OBJECT_KEY: 'pinned.zip' });
  await reached(client, name, pipelineExecutionId, 'Failed');
  await put('pinned.zip', 'second');
  await put('not-yet.zip', 'there');
  const retry = { pipelineName: name, pipelineExecutionId, stageName: source!.name } as const;
  await client.retryStageExecution({ ...retry, retryMode: 'ALL_ACTIONS' });
  await reached(client, name, pipelineExecutionId, 'Succeeded');
  expect(await released()).toBe('first');
  const { pipelineExecution } = await client.getPipelineExecution({ pipelineName: name, pipelineExecutionId });
  expect(pipelineExecution?.artifactRevisions?.map(({ revisionId }) => revisionId)).toContain(first);
});

test('what could not be honoured is refused, and a version that is not there fails its action with its name (CP-F-7)', async () => {
  await put(key, 'x');
  const name = await declared();
  const said = (given: Readonly<Record<string, string>>) => refusal(start(name, given));
  expect(await said({ S3_OBJECT_KEY: 'other.zip' })).toMatch(
    /^ValidationException: The source action 'Fetch' does not let its key be overridden\. Set AllowOverrideForS3Obj/,
  );
  expect(await said({ COMMIT_ID: 'a'.repeat(40) })).toMatch(
    /^ValidationException: The source action 'Fetch' \(S3\) takes a revision of type S3_OBJECT_VERSION_ID or S3_OBJECT/,
  );
  const twice = { actionName: 'Fetch', revisionType: 'S3_OBJECT_VERSION_ID', revisionValue: 'v' } as const;
  expect(await refusal(client.startPipelineExecution({ name, sourceRevisions: [twice, twice] }))).toBe(
    "ValidationException: More than one revision is given for the source action 'Fetch'.",
  );
  const id = await start(name, { S3_OBJECT_VERSION_ID: 'gone' });
  await reached(client, name, id, 'Failed');
  const { stageStates } = await client.getPipelineState({ name });
  expect(stageStates?.[0]?.actionStates?.[0]?.latestExecution?.errorDetails).toMatchObject({
    code: 'ConfigurationError',
    message: expect.stringContaining('has no version gone, or it is no longer kept') as string,
  });
});
