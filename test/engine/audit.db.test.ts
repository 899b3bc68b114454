import { expect, test } from 'vitest';
import { findAudit } from '../../src/db/audit.ts';
import { findExecution } from '../../src/db/executions.ts';
import { waitingApprovals } from '../../src/pipeline/status.ts';
import { testDatabase } from '../database.ts';
import { aPipeline } from './a-pipeline.ts';
import { engineBench } from './engine-bench.ts';

const database = await testDatabase();
const { db } = database;
const bench = await engineBench(database);
const definition = aPipeline({
  Source: { Checkout: 'CodeStarSourceConnection' },
  Build: { Unit: 'Fast' },
  Release: { Approve: 'Manual' },
});

test('SEC-T-15 whatever moves a pipeline, through whichever door, is a row; what is refused, and what the world reports, is none', async () => {
  const by = { kind: 'api', arn: 'arn:aws:iam::111122223333:user/ops' } as const;
  bench.answers['Unit'] = () => ({ kind: 'failed', error: { code: 'JobFailed', message: 'no' } });
  const id = await bench.start(definition, { pullRequest: 3 });
  await bench.settled();
  bench.answers = {};
  const { lane } = await bench.read(id);
  await bench.engine.obey({ kind: 'retry', lane, execution: id, stage: 'Build', mode: 'FAILED_ACTIONS' }, by);
  await bench.settled();
  const hold = { lane, stage: 'Release', transition: 'Inbound' } as const;
  await bench.engine.obey({ kind: 'disable-transition', ...hold, reason: 'incident' }, by);
  const record = await findExecution(db, id);
  const [gate] = record ? waitingApprovals(record.execution) : [];
  if (!gate) throw new Error('it waits for nobody');
  const { stage, action, token } = gate;
  const answer = { lane, execution: id, stage, action, summary: 'looks good' };
  expect(await bench.engine.obey({ kind: 'approve', ...answer, token: 'another' }, by)).toMatchObject({
    outcome: 'refused',
  });
  await bench.engine.obey({ kind: 'approve', ...answer, token }, by);
  const rows = await findAudit(db, { repositoryId: 42, pullRequest: 3, limit: 50 });
  expect(rows.map(({ what, who, why }) => [what, who, why])).toEqual([
    ['pipeline-start', 'dev', ''],
    ['pipeline-retry', by.arn, ''],
    ['pipeline-disable-transition', by.arn, 'incident'],
    ['pipeline-approve', by.arn, 'looks good'],
  ]);
  expect(rows[0]?.detail).toMatchObject({
    pipeline: 'web',
    personId: 1,
    sourceRevisions: [{ revisionId: 'a'.repeat(40) }],
  });
  expect(rows[1]).toMatchObject({ execution: id, detail: { stage: 'Build', mode: 'FAILED_ACTIONS' } });
  expect(rows[3]?.detail).toMatchObject({ stage: 'Release', action: 'Approve', token });
});
