import type { PipelineDeclaration } from '@aws-sdk/client-codepipeline';
import { expect, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { declare } from './declare.ts';
import { doorBench, refusal } from './door-bench.ts';
import { signedHeaders } from './signed-fetch.ts';

const database = await testDatabase();
const bench = await doorBench(database);
const { client, url } = bench;

const type = { category: 'Build', owner: 'Custom', provider: 'Mill', version: '1' } as const;
const { owner: _, ...key } = type;

function milled(): PipelineDeclaration {
  const action = {
    actionTypeId: type,
    configuration: { Recipe: 'bread', Password: 'hush' },
    outputArtifacts: [{ name: 'Flour' }],
    namespace: 'Mill',
  };
  return declare({ Build: { Grind: action } });
}

test('a custom type is registered by an admin, listed, and taken away (CP 4.1)', async () => {
  const registration = {
    ...key,
    configurationProperties: [
      { name: 'Recipe', required: true, key: true, secret: false },
      { name: 'Password', required: false, key: false, secret: true },
    ],
    inputArtifactDetails: { minimumCount: 0, maximumCount: 1 },
    outputArtifactDetails: { minimumCount: 0, maximumCount: 1 },
    tags: [{ key: 'team', value: 'mill' }],
  };
  const other = bench.clientOf(await bench.key({ repositoryId: 42 }));
  expect(await refusal(other.createCustomActionType(registration))).toContain('AccessDeniedException');
  const { actionType, tags } = await client.createCustomActionType(registration);
  expect(actionType?.id).toEqual(type);
  expect(tags).toEqual(registration.tags);
  const { actionTypes = [] } = await client.listActionTypes({ actionOwnerFilter: 'Custom' });
  expect(actionTypes.map(({ id }) => id)).toEqual([type]);
  expect((await client.listActionTypes({})).actionTypes!.length).toBeGreaterThan(20);
  expect((await client.listRuleTypes({})).ruleTypes?.map(({ id }) => id?.provider)).toContain('DeploymentWindow');
  const known = await client.getActionType({ category: 'Build', owner: 'AWS', provider: 'CodeBuild', version: '1' });
  expect(known.actionType?.inputArtifactDetails).toEqual({ minimumCount: 1, maximumCount: 5 });
  const unknown = client.getActionType({ category: 'Build', owner: 'AWS', provider: 'Nothing', version: '1' });
  expect(await refusal(unknown)).toContain('ActionTypeNotFoundException');
  const arn = 'arn:aws:codepipeline:eu-west-1:111122223333:actiontype:Custom/Build/Mill/1';
  await client.tagResource({ resourceArn: arn, tags: [{ key: 'a', value: 'b' }] });
  expect((await client.listTagsForResource({ resourceArn: arn })).tags).toHaveLength(2);
  expect(await refusal(other.listTagsForResource({ resourceArn: arn }))).toMatch(
    /^AccessDeniedException: .* codepipeline:ListTagsForResource. It takes a key made with --admin.$/,
  );
  await client.createCustomActionType({ ...registration, version: '2' });
  await client.deleteCustomActionType({ ...key, version: '2' });
  const gone = client.pollForJobs({ actionTypeId: { ...type, version: '2' } });
  expect(await refusal(gone)).toContain('ActionTypeNotFoundException');
});

test('a worker fetches the input, puts the output and ends the action; the slower one lost the nonce (CP 4.2, SEC-G-07)', async () => {
  const pipeline = milled();
  await client.createPipeline({ pipeline });
  await bench.engine.settled();
  const [offer] = (await client.pollForJobs({ actionTypeId: type, maxBatchSize: 5 })).jobs!;
  const data = offer!.data!;
  expect(data.pipelineContext).toMatchObject({
    pipelineName: pipeline.name,
    pipelineArn: `arn:aws:codepipeline:eu-west-1:111122223333:${pipeline.name}`,
    stage: { name: 'Build' },
    action: { name: 'Grind' },
  });
  expect(data.actionConfiguration?.configuration).toEqual({ Recipe: 'bread', Password: 'hush' });
  const jobId = offer!.id!;
  expect(await refusal(client.acknowledgeJob({ jobId, nonce: 'another' }))).toContain('InvalidNonceException');
  const stranger = bench.clientOf(await bench.key({ repositoryId: 42 }));
  expect(await refusal(stranger.acknowledgeJob({ jobId, nonce: offer!.nonce! }))).toContain('JobNotFoundException');
  expect(await client.acknowledgeJob({ jobId, nonce: offer!.nonce! })).toMatchObject({ status: 'InProgress' });
  const { jobDetails } = await client.getJobDetails({ jobId });
  const session = jobDetails!.data!.artifactCredentials!;
  const place = data.outputArtifacts![0]!.location!.s3Location!;
  const object = `${url}/${place.bucketName}/${place.objectKey}`;
  const ask = (method: string, address: string, body = '') => {
    const signing = { ...session, service: 's3' } as Parameters<typeof signedHeaders>[2];
    const headers = signedHeaders(address, { method, headers: {}, body }, signing);
    return fetch(address, { method, headers, ...(body === '' ? {} : { body }) });
  };
  expect((await ask('PUT', object, 'flour')).status).toBe(200);
  expect(await (await ask('GET', object)).text()).toBe('flour');
  expect((await ask('PUT', `${object}x`, 'sand')).status).toBe(403);
  expect((await ask('GET', `${url}/${place.bucketName}?list-type=2`)).status).toBe(403);

  await client.putJobSuccessResult({ jobId, continuationToken: 'half', executionDetails: { percentComplete: 50 } });
  const both = { jobId, continuationToken: 'x', outputVariables: { A: '1' } };
  expect(await refusal(client.putJobSuccessResult(both))).toContain(
    'can not contain both a continuation token and output',
  );
  const waiting = (await client.getPipelineState({ name: pipeline.name! })).stageStates![1]!.actionStates![0]!;
  expect(waiting.latestExecution).toMatchObject({ status: 'InProgress', percentComplete: 50 });
});

test('a worker is told what the source of its input took, where that is known (CP-J-5)', async () => {
  const pipeline: PipelineDeclaration = { ...milled(), executionMode: 'PARALLEL' };
  await client.createPipeline({ pipeline });
  const taken = { actionName: 'Fetch', revisionType: 'S3_OBJECT_VERSION_ID', revisionValue: 'v7' } as const;
  await client.startPipelineExecution({ name: pipeline.name, sourceRevisions: [taken] });
  await bench.engine.settled();
  const { jobs = [] } = await client.pollForJobs({ actionTypeId: type, maxBatchSize: 5 });
  const mine = jobs.filter(({ data }) => data!.pipelineContext!.pipelineName === pipeline.name);
  const revisions = mine.flatMap(({ data }) =>
    data!.inputArtifacts!.map(({ name, revision }) => `${name} ${revision}`),
  );
  expect(new Set(revisions)).toEqual(new Set(['App undefined', 'App v7']));
});

test('a result counts once: the same again is fine, another one is refused (CP-J-13, CP-J-15)', async () => {
  const pipeline = milled();
  await client.createPipeline({ pipeline });
  await bench.engine.settled();
  const [job] = (await client.pollForJobs({ actionTypeId: type })).jobs!;
  const jobId = job!.id!;
  await client.acknowledgeJob({ jobId, nonce: job!.nonce! });
  const created = new Date(1_790_000_000_000);
  const success = {
    jobId,
    outputVariables: { GRAMS: '500' },
    currentRevision: { revision: 'r1', changeIdentifier: 'c1', created },
  };
  await client.putJobSuccessResult(success);
  await client.putJobSuccessResult(success);
  const different = client.putJobSuccessResult({ jobId, outputVariables: { GRAMS: '501' } });
  expect(await refusal(different)).toContain('InvalidJobStateException: The status of job with id');
  const failureDetails = { type: 'JobFailed', message: 'no' } as const;
  expect(await refusal(client.putJobFailureResult({ jobId, failureDetails }))).toBe(
    `InvalidJobStateException: Job with id ${jobId} has already terminated`,
  );
  await bench.engine.settled();
  const { actionExecutionDetails = [] } = await client.listActionExecutions({ pipelineName: pipeline.name! });
  const grind = actionExecutionDetails.find(({ actionName }) => actionName === 'Grind');
  expect(grind).toMatchObject({ status: 'Succeeded', output: { outputVariables: { GRAMS: '500' } } });
  expect(grind?.input?.configuration).toEqual({ Recipe: 'bread', Password: '****' });
});

test("what only AWS's partners have is not there (CP-J-18)", async () => {
  const third = client.pollForThirdPartyJobs({ actionTypeId: { ...type, owner: 'ThirdParty' } });
  expect(await refusal(third)).toContain('ActionTypeNotFoundException');
  expect(await refusal(client.registerWebhookWithThirdParty({ webhookName: 'w' }))).toContain('WebhookNotFound');
});
