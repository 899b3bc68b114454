import { expect, test } from 'vitest';
import { runEffect } from '../../src/engine/embedded/run-effect.ts';
import type { ActionDeclaration } from '../../src/pipeline/definition.ts';
import type { ExecutionId } from '../../src/pipeline/execution.ts';
import { testDatabase } from '../database.ts';
import { aPipeline } from './a-pipeline.ts';
import { engineBench } from './engine-bench.ts';

const database = await testDatabase();
const { db } = database;
const bench = await engineBench(database);

let pullRequest = 0;

async function startGated(gate: Partial<ActionDeclaration>): Promise<ExecutionId> {
  pullRequest += 1;
  const definition = aPipeline({
    Source: { Checkout: { provider: 'CodeStarSourceConnection', namespace: 'Source' } },
    Release: { Approve: { provider: 'Manual', ...gate }, Ship: { runOrder: 2 } },
  });
  const id = await bench.start(definition, { pullRequest });
  await bench.settled();
  return id;
}

bench.answers['Checkout'] = () => ({ kind: 'succeeded', outputVariables: { CommitId: 'abc1234' } });

test('IsSummaryRequired refuses a blank answer, and the gate stays open (CP-A-7)', async () => {
  const id = await startGated({ configuration: { IsSummaryRequired: 'true' } });
  expect(await bench.answer(id, 'approve', '  ')).toEqual({
    outcome: 'refused',
    refusal: {
      exception: 'InvalidApprovalTokenException',
      rule: 'CP-A-7',
      message:
        "Action 'Approve' in stage 'Release' requires a summary. Provide a summary in the approval result and try again.",
    },
  });
  expect(await bench.answer(id, 'approve', 'read the report')).toEqual({ outcome: 'done' });
  await bench.settled();
  expect(await bench.status(id)).toBe('Succeeded');
});

test('the topic of an approval is told once it waits, in the words of SNS (CP-A-11)', async () => {
  const topicArn = 'arn:aws:sns:eu-west-1:111122223333:releases';
  const configuration = { NotificationArn: topicArn, CustomData: 'Release of #{Source.CommitId}' };
  const id = await startGated({ configuration, timeoutInMinutes: 90 });
  const run = (await bench.read(id)).stages[1]?.actions[0];
  const link = `https://penstock.example/executions/${id}`;
  expect(bench.notices).toEqual([
    {
      execution: id,
      topicArn,
      message: {
        region: 'eu-west-1',
        consoleLink: link,
        approval: {
          pipelineName: 'web',
          stageName: 'Release',
          actionName: 'Approve',
          token: run?.token,
          expires: `${run?.deadline?.slice(0, 16)}Z`,
          approvalReviewLink: link,
          customData: 'Release of abc1234',
        },
      },
    },
  ]);
});

test('an approval is not held up by a topic that cannot be reached, and one without a topic tells nobody', async () => {
  bench.notices.length = 0;
  const quiet = await startGated({});
  const id = await startGated({ configuration: { NotificationArn: 'arn:aws:sns:eu-west-1:111122223333:gone' } });
  for (const execution of [quiet, id]) expect(await bench.answer(execution)).toEqual({ outcome: 'done' });
  expect(bench.notices).toEqual([]);
});

test('timeoutInMinutes ends the wait: the action fails and a late answer is refused (CP-A-5)', async () => {
  const id = await startGated({ timeoutInMinutes: 30 });
  const run = (await bench.read(id)).stages[1]!.actions[0]!;
  const minutes = (Date.parse(run.deadline ?? '') - Date.parse(run.startedAt)) / 60_000;
  expect(minutes).toBe(30);
  const due = await db
    .selectFrom('jobs')
    .select(['kind', 'run_at'])
    .where('dedupe_key', '=', `watch-deadline/${id}/Release/Approve/1`)
    .execute();
  expect(due).toEqual([{ kind: 'deadline', run_at: new Date(run.deadline ?? '') }]);
  const at = { execution: id, stage: 'Release', action: 'Approve', attempt: 1, at: run.deadline ?? '' } as const;
  await runEffect(bench.runner, { kind: 'watch-deadline', ...at, id: run.id });
  expect(await bench.status(id)).toBe('Failed');
  const late = { kind: 'approve', lane: (await bench.read(id)).lane, execution: id, stage: 'Release' } as const;
  const by = { kind: 'person', id: 2, login: 'reviewer' } as const;
  const answer = { ...late, action: 'Approve', token: run.token ?? '', summary: 'late' };
  expect(await bench.engine.obey(answer, by)).toMatchObject({
    outcome: 'refused',
    refusal: { exception: 'InvalidApprovalTokenException' },
  });
});
