import * as sdk from '@aws-sdk/client-codepipeline';
import { existsSync, globSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkShape } from '../../src/codepipeline-api/check-shape.ts';
import { readModel, tableOf } from '../../src/codepipeline-api/generate-shapes.ts';
import { operations } from '../../src/codepipeline-api/operations.ts';
import { operationFacts, operationNames, shapeNamed } from '../../src/codepipeline-api/shapes.ts';
import table from '../../src/codepipeline-api/shapes.json' with { type: 'json' };
import { testDatabase } from '../database.ts';
import { approval, declare } from './declare.ts';
import { doorBench } from './door-bench.ts';
import { absentOperations, operationRows } from './operations-table.ts';
import { rawCall } from './signed-fetch.ts';

const database = await testDatabase();
const bench = await doorBench(database);

/** How the SDK writes down a structure: `[3, namespace, name, traits, members, schemas, number of required ones]`. */
type SdkStructure = readonly [3, string, string, unknown, readonly string[], readonly unknown[], number?];

const structures = Object.values(sdk).filter(
  (value): value is SdkStructure & typeof value =>
    Array.isArray(value) && value[0] === 3 && value[1] === 'com.amazonaws.codepipeline',
);

describe('the table of shapes', () => {
  test('names the members that the SDK names, and as many required ones', () => {
    expect(structures.length).toBeGreaterThan(150);
    for (const [, , name, , members, , required = 0] of structures as readonly SdkStructure[]) {
      if (!(name in table.shapes)) continue;
      const shape = shapeNamed(name);
      expect([name, Object.keys(shape.members ?? {}).toSorted()]).toEqual([name, members.toSorted()]);
      expect([name, shape.required?.length ?? 0]).toEqual([name, required]);
    }
  });

  test('every operation of the service is answered', () => {
    expect(operationNames).toHaveLength(44);
    expect(Object.keys(operations).toSorted()).toEqual(operationNames.toSorted());
  });

  test('every operation has its row in the table of operations.long.test.ts, each once', () => {
    const rows = [...Object.keys(operationRows), ...Object.keys(absentOperations)];
    expect(rows.toSorted()).toEqual(operationNames.toSorted());
  });

  const [model] = globSync([
    '/usr/lib/python3*/**/botocore/data/codepipeline/2015-07-09/service-2.json*',
    join(
      homedir(),
      '.pyenv/versions/*/lib/python3*/site-packages/botocore/data/codepipeline/2015-07-09/service-2.json*',
    ),
  ]);
  if (model === undefined || !existsSync(model))
    console.log('skipped: no AWS CLI on this machine has the service model');
  test.skipIf(model === undefined)('is what the generator makes of the published model, corrections included', () => {
    const made = tableOf(readModel(model!)) as typeof table;
    for (const [name, shape] of Object.entries(made.shapes)) {
      // An older CLI knows less; what it knows has to agree.
      if (name in table.shapes) expect(shapeNamed(name)).toMatchObject({ type: shape.type });
    }
    expect(shapeNamed('ActionConfigurationValue').max).toBe(50_000);
  });
});

test('what the door answers has exactly the members of the model', async () => {
  const pipeline = declare({
    Build: { Unit: { namespace: 'B', outputArtifacts: [{ name: 'Out' }] } },
    Gate: { Approve: approval },
  });
  await bench.client.createPipeline({ pipeline });
  await bench.client.disableStageTransition({
    pipelineName: pipeline.name!,
    stageName: 'Build',
    transitionType: 'Inbound',
    reason: 'x',
  });
  await bench.client.enableStageTransition({
    pipelineName: pipeline.name!,
    stageName: 'Build',
    transitionType: 'Inbound',
  });
  await bench.engine.settled();
  const named = { pipelineName: pipeline.name };
  const [execution] = (await bench.client.listPipelineExecutions({ pipelineName: pipeline.name! }))
    .pipelineExecutionSummaries!;
  const asked: Record<string, object> = {
    GetPipeline: { name: pipeline.name },
    GetPipelineState: { name: pipeline.name },
    GetPipelineExecution: { ...named, pipelineExecutionId: execution!.pipelineExecutionId },
    ListPipelines: {},
    ListPipelineExecutions: named,
    ListActionExecutions: named,
    ListRuleExecutions: named,
    // ListActionTypes tells counts beyond the model's bounds, because those are the true ones.
    ListActionTypes: { actionOwnerFilter: 'Custom' },
    ListRuleTypes: {},
    ListWebhooks: {},
    StartPipelineExecution: { name: pipeline.name },
  };
  for (const [operation, input] of Object.entries(asked)) {
    const { text, status } = await rawCall(bench.url, operation, JSON.stringify(input), bench.admin);
    expect([operation, status]).toEqual([operation, 200]);
    const checked = checkShape(operationFacts(operation)!.output!, JSON.parse(text));
    const again: unknown = JSON.parse(
      JSON.stringify(checked, (_key, value: unknown) => value),
      (_key, value: unknown) =>
        typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? Date.parse(value) / 1000 : value,
    );
    expect(again).toEqual(JSON.parse(text));
  }
});
