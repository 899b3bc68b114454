import { randomUUID } from 'node:crypto';
import type { PipelineDeclaration } from '@aws-sdk/client-codepipeline';
import { expect, test } from 'vitest';
import { adminScope, findApiPipeline } from '../../src/db/api-pipelines.ts';
import { createEmbeddedEngine } from '../../src/engine/embedded/embedded-engine.ts';
import { testDatabase } from '../database.ts';
import { approval, declare } from './declare.ts';
import { doorBench, refusal } from './door-bench.ts';

const database = await testDatabase();
const lambda = {
  actionTypeId: { category: 'Invoke', owner: 'AWS', provider: 'Lambda', version: '1' } as const,
  configuration: { FunctionName: 'ask' },
  inputArtifacts: [],
} satisfies Parameters<typeof declare>[0][string][string];
const bench = await doorBench(database);
const { client } = bench;

const withoutMetadata = async (name: string): Promise<PipelineDeclaration> =>
  (await client.getPipeline({ name })).pipeline!;

test('a pipeline is created, echoes its defaults and starts once (CP-D-1, CP-X-1, CP-X-2, CP-X-3, CP-X-4)', async () => {
  const declared = declare({ Build: { Unit: {} } });
  const { pipeline, tags } = await client.createPipeline({ pipeline: declared, tags: [{ key: 'team', value: 'web' }] });
  expect(pipeline).toMatchObject({ name: declared.name, version: 1, executionMode: 'SUPERSEDED', pipelineType: 'V2' });
  const unit = pipeline?.stages?.[1]?.actions?.[0];
  expect(unit).toMatchObject({ runOrder: 1, outputArtifacts: [], configuration: { ProjectName: 'unit' } });
  expect(Object.keys(unit ?? {})).not.toContain('commands');
  expect(tags).toEqual([{ key: 'team', value: 'web' }]);
  await bench.engine.settled();
  const { pipelineExecutionSummaries: started = [] } = await client.listPipelineExecutions({
    pipelineName: declared.name,
  });
  expect(started.map(({ status, trigger }) => [status, trigger?.triggerType])).toEqual([
    ['Succeeded', 'CreatePipeline'],
  ]);
  expect(started[0]?.trigger?.triggerDetail).toBe(`arn:aws:iam::111122223333:user/penstock/${bench.admin.accessKeyId}`);
});

test('get, take the metadata off, update: version 2, nothing starts, both versions are kept (CP-X-60, CP-D-3, CP-W-16)', async () => {
  const declared = declare({ Build: { Unit: {} } });
  await client.createPipeline({ pipeline: declared });
  const first = await client.getPipeline({ name: declared.name! });
  expect(first.metadata?.pipelineArn).toBe(`arn:aws:codepipeline:eu-west-1:111122223333:${declared.name}`);
  expect(first.metadata?.created).toBeInstanceOf(Date);
  const second = await client.updatePipeline({ pipeline: { ...first.pipeline!, version: 17 } });
  expect(second.pipeline).toEqual({ ...first.pipeline, version: 2 });
  expect((await client.getPipeline({ name: declared.name!, version: 1 })).pipeline).toEqual(first.pipeline);
  expect(await refusal(client.getPipeline({ name: declared.name!, version: 3 }))).toContain(
    'PipelineVersionNotFoundException',
  );
  const { pipelineExecutionSummaries } = await client.listPipelineExecutions({ pipelineName: declared.name! });
  expect(pipelineExecutionSummaries).toHaveLength(1);
});

test.each([
  [
    'one stage',
    declare({}),
    'InvalidStructureException: Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline',
  ],
  [
    'a source in the second stage',
    declare({ Build: { Late: declare({}).stages![0]!.actions![0]! } }),
    'InvalidStructureException: Pipeline should start with a stage that only contains source actions',
  ],
  [
    'an input that a later stage makes',
    declare({
      Build: { Unit: { inputArtifacts: [{ name: 'Late' }] } },
      More: { Make: { outputArtifacts: [{ name: 'Late' }] } },
    }),
    'InvalidActionDeclarationException: ',
  ],
  [
    'one namespace twice',
    declare({ Build: { Unit: { namespace: 'N' }, Lint: { namespace: 'N' } } }),
    'Namespaces must be unique across the pipeline definition.',
  ],
  [
    'an empty value',
    declare({ Build: { Unit: { configuration: { ProjectName: '' } } } }),
    'ValidationException: 1 val',
  ],
  [
    'a custom type that nobody registered',
    declare({
      Build: { Unit: { actionTypeId: { category: 'Build', owner: 'Custom', provider: 'Mill', version: '1' } } },
    }),
    "InvalidActionDeclarationException: ActionType (Category: 'Build', Provider: 'Mill', Owner: 'Custom', Version: " +
      "'1') in action 'Unit' is not available in region 'EU_WEST_1'",
  ],
  [
    'an action that only AWS runs (CP-P-6)',
    declare({ Ship: { Out: { actionTypeId: { category: 'Deploy', owner: 'AWS', provider: 'EKS', version: '1' } } } }),
    "InvalidActionDeclarationException: ActionType (Category: 'Deploy', Provider: 'EKS', Owner: 'AWS', Version: '1') in " +
      "action 'Out' is not available in region 'EU_WEST_1'.",
  ],
  [
    'a function that no operator allowed (CP-P-6)',
    declare({ Call: { Ask: lambda } }),
    'The operator allows functions for this repository in penstock.server.yml, under embedded.aws.',
  ],
])('%s is refused (CP-D-4 to D-13)', async (_what, pipeline, message) => {
  expect(await refusal(client.createPipeline({ pipeline }))).toContain(message);
  expect(await refusal(client.getPipeline({ name: pipeline.name! }))).toContain('PipelineNotFoundException');
});

test('a name is used once; deleting it twice is no error, and its namesake starts at version 1 (CP-X-64)', async () => {
  const declared = declare({ Build: { Unit: {} } });
  const name = declared.name!;
  await client.createPipeline({ pipeline: declared });
  await client.updatePipeline({ pipeline: declared });
  expect(await refusal(client.createPipeline({ pipeline: declared }))).toBe(
    `PipelineNameInUseException: A pipeline with the name '${name}' already exists in account '111122223333'`,
  );
  await client.deletePipeline({ name });
  await client.deletePipeline({ name });
  expect(await refusal(client.listPipelineExecutions({ pipelineName: name }))).toContain('PipelineNotFoundException');
  expect(await refusal(client.updatePipeline({ pipeline: declared }))).toContain('PipelineNotFoundException');
  const { pipeline } = await client.createPipeline({ pipeline: declared });
  expect(pipeline?.version).toBe(1);
  const { pipelineExecutionSummaries } = await client.listPipelineExecutions({ pipelineName: name });
  expect(pipelineExecutionSummaries).toHaveLength(1);
});

test('an update or a start that cannot run here is refused, and the declaration stays (CP-P-6)', async () => {
  const declared = declare({ Build: { Unit: {} } });
  await client.createPipeline({ pipeline: declared });
  const calling = declare({ Call: { Ask: lambda } }, { name: declared.name! });
  expect(await refusal(client.updatePipeline({ pipeline: calling }))).toContain('InvalidActionDeclarationException: ');
  expect((await client.getPipeline({ name: declared.name! })).pipeline?.version).toBe(1);
  const { engine } = bench.door;
  const allowing = createEmbeddedEngine({
    db: bench.door.db,
    host: 'host-1',
    now: bench.door.now,
    alsoRuns: () => true,
  });
  Object.assign(bench.door, { engine: allowing });
  await client.updatePipeline({ pipeline: calling });
  Object.assign(bench.door, { engine });
  const actionRevision = { revisionId: 'r', revisionChangeId: 'c', created: new Date() };
  const told = { pipelineName: declared.name!, stageName: 'Source', actionName: 'Fetch', actionRevision };
  const starts = [() => client.startPipelineExecution({ name: declared.name! }), () => client.putActionRevision(told)];
  for (const start of starts) {
    expect(await refusal(start())).toMatch(/^ValidationException: ActionType .* is not available in region/);
  }
});

test('a secret is never read back, and its mask written back keeps it while stage and action keep their names (CP-D-2)', async () => {
  const provider = `Vault-${randomUUID().slice(0, 8)}`;
  const type = { category: 'Build', provider, version: '1' } as const;
  await client.createCustomActionType({
    ...type,
    configurationProperties: [{ name: 'Token', required: true, key: true, secret: true }],
    inputArtifactDetails: { minimumCount: 0, maximumCount: 1 },
    outputArtifactDetails: { minimumCount: 0, maximumCount: 1 },
  });
  const open = { actionTypeId: { ...type, owner: 'Custom' }, configuration: { Token: 'hush' } } as const;
  const declared = declare({ Build: { Open: open } });
  const name = declared.name!;
  const { pipeline } = await client.createPipeline({ pipeline: declared });
  expect(JSON.stringify(pipeline)).not.toContain('hush');
  const read = await withoutMetadata(name);
  expect(read.stages?.[1]?.actions?.[0]?.configuration?.['Token']).toBe('****');
  await client.updatePipeline({ pipeline: read });
  await client.startPipelineExecution({ name });
  await bench.engine.settled();
  const actionTypeId = { ...type, owner: 'Custom' } as const;
  const tokenOfNextJob = async () =>
    (await client.pollForJobs({ actionTypeId })).jobs?.[0]?.data?.actionConfiguration?.configuration?.['Token'];
  expect(await tokenOfNextJob()).toBe('hush');
  const { actionExecutionDetails } = await client.listActionExecutions({ pipelineName: name });
  expect(JSON.stringify(actionExecutionDetails)).not.toContain('hush');
  const renamed = structuredClone(read);
  renamed.stages![1]!.actions![0]!.name = 'Another';
  await client.updatePipeline({ pipeline: renamed });
  const kept = await findApiPipeline(bench.door.db, adminScope, name);
  expect(kept?.definition.stages[1]?.actions[0]?.configuration['Token']).toBe('****');
});

test('pipelines are listed by name in pages; a token of another query, or altered, is refused (CP-X-71)', async () => {
  const other = bench.clientOf(await bench.key({ repositoryId: 42 }));
  for (const name of ['c', 'a', 'b']) await other.createPipeline({ pipeline: declare({ B: { U: {} } }, { name }) });
  const first = await other.listPipelines({ maxResults: 2 });
  expect(first.pipelines?.map(({ name }) => name)).toEqual(['a', 'b']);
  const rest = await other.listPipelines({ maxResults: 2, nextToken: first.nextToken! });
  expect(rest.pipelines?.map(({ name }) => name)).toEqual(['c']);
  expect(rest.nextToken).toBeUndefined();
  const nextToken = first.nextToken!;
  for (const asked of [
    () => client.listPipelines({ nextToken }),
    () => other.listPipelines({ nextToken: `${nextToken}x` }),
    () => other.listPipelines({ nextToken: 'x' }),
    () => other.listPipelineExecutions({ pipelineName: 'a', nextToken }),
  ]) {
    expect(await refusal(asked())).toContain('InvalidNextTokenException');
  }
});

test('an update cancels what waits for approval, and its token tells why (CP-X-61, CP-X-62)', async () => {
  const declared = declare({ Gate: { Approve: approval } });
  await client.createPipeline({ pipeline: declared });
  await bench.engine.settled();
  const name = declared.name!;
  const before = (await client.getPipelineState({ name })).stageStates?.[1]?.actionStates?.[0]?.latestExecution;
  await client.updatePipeline({ pipeline: declared });
  await bench.engine.settled();
  const { pipelineExecutionSummaries } = await client.listPipelineExecutions({ pipelineName: name });
  expect(pipelineExecutionSummaries?.[0]?.status).toBe('Cancelled');
  const late = client.putApprovalResult({
    pipelineName: name,
    stageName: 'Gate',
    actionName: 'Approve',
    token: before!.token!,
    result: { status: 'Approved', summary: '' },
  });
  expect(await refusal(late)).toBe(
    `InvalidApprovalTokenException: The pipeline ${name} has been updated, and the approval request you responded to is now out of date.`,
  );
});
