import { expect, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { approval, declare, doorBench, refusal } from './door-bench.ts';

const database = await testDatabase();
const bench = await doorBench(database);
const { client } = bench;

test('a pipeline is created, echoes its defaults and starts once (CP-D-1, CP-X-4)', async () => {
  const declared = declare({ Build: { Unit: {} } });
  const { pipeline, tags } = await client.createPipeline({ pipeline: declared, tags: [{ key: 'team', value: 'web' }] });
  expect(pipeline).toMatchObject({ name: declared.name, version: 1, executionMode: 'SUPERSEDED', pipelineType: 'V2' });
  const unit = pipeline?.stages?.[1]?.actions?.[0];
  expect(unit).toMatchObject({ runOrder: 1, outputArtifacts: [], configuration: { ProjectName: 'unit' } });
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
