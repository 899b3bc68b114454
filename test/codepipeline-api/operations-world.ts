import type { PipelineDeclaration } from '@aws-sdk/client-codepipeline';
import { sql } from 'kysely';
import { approval, declare } from './declare.ts';
import { type DoorBench } from './door-bench.ts';

export const mill = { category: 'Build', owner: 'Custom', provider: 'Mill', version: '1' } as const;
export const millType = {
  category: 'Build',
  provider: 'Mill',
  inputArtifactDetails: { minimumCount: 0, maximumCount: 1 },
  outputArtifactDetails: { minimumCount: 0, maximumCount: 1 },
} as const;

/** Of one pipeline: its name, and its executions, oldest first. */
export interface Ran {
  readonly name: string;
  readonly ids: readonly string[];
}

/** A pipeline in each state that an operation is for, so that no operation depends on another's effect. */
export interface OperationsWorld {
  readonly done: Ran;
  readonly failed: Ran;
  /** By an entry condition. */
  readonly blocked: Ran;
  readonly updated: Ran;
  /** At its gate, as the next three are. */
  readonly waiting: Ran & { readonly token: string };
  readonly running: Ran;
  readonly stopping: Ran;
  readonly answered: Ran & { readonly token: string };
  readonly deleted: Ran;
  /** Offered; one is left in the queue. */
  readonly jobs: readonly { readonly jobId: string; readonly nonce: string }[];
  readonly webhook: string;
  readonly arn: (name: string) => string;
}

export async function operationsWorld(bench: DoorBench): Promise<OperationsWorld> {
  const { client, engine } = bench;
  await client.createCustomActionType({ ...millType, version: '1' });
  await client.createCustomActionType({ ...millType, version: 'old' });
  engine.answers['Break'] = () => ({ kind: 'failed', error: { code: 'JobFailed', message: 'exit status 1' } });
  const ran = async (pipeline: PipelineDeclaration, times = 1): Promise<Ran> => {
    const name = pipeline.name!;
    await client.createPipeline({ pipeline });
    await engine.settled();
    for (let n = 1; n < times; n += 1) {
      await client.startPipelineExecution({ name });
      await engine.settled();
    }
    const { pipelineExecutionSummaries = [] } = await client.listPipelineExecutions({ pipelineName: name });
    return { name, ids: pipelineExecutionSummaries.map((one) => one.pipelineExecutionId!).toReversed() };
  };
  const gated = async (): Promise<Ran & { token: string }> => {
    const one = await ran(declare({ Gate: { Approve: approval } }));
    const { stageStates } = await client.getPipelineState({ name: one.name });
    return { ...one, token: stageStates![1]!.actionStates![0]!.latestExecution!.token! };
  };
  const [stopping, answered, updated] = [await gated(), await gated(), await ran(declare({ Build: { Unit: {} } }))];
  await client.stopPipelineExecution({ pipelineName: stopping.name, pipelineExecutionId: stopping.ids[0] });
  await client.putApprovalResult(approvalOf(answered));
  await client.updatePipeline({ pipeline: (await client.getPipeline({ name: updated.name })).pipeline });
  const grind = { actionTypeId: mill, configuration: {} };
  await ran(declare({ Build: { A: grind, B: grind, C: grind, D: grind, E: grind } }));
  const { jobs = [] } = await client.pollForJobs({ actionTypeId: mill, maxBatchSize: 4 });
  // However slowly the test goes on, none of them is offered again.
  await bench.door.db
    .updateTable('worker_jobs')
    .set({ available_at: sql`now() + interval '1 day'` })
    .where(
      'id',
      'in',
      jobs.map(({ id }) => id!),
    )
    .execute();
  const offers = jobs.map(({ id, nonce }) => ({ jobId: id!, nonce: nonce! }));
  for (const offer of offers.slice(1)) await client.acknowledgeJob(offer);
  await client.putJobSuccessResult({ jobId: offers[3]!.jobId });
  const done = await ran(declare({ Build: { Unit: {} }, Ship: { Out: {} } }), 2);
  await client.putWebhook({ webhook: webhookOf(done.name, 'known') });
  return {
    done,
    failed: await ran(declare({ Build: { Break: {} } }), 2),
    blocked: await ran(guarded(), 2),
    updated,
    waiting: await gated(),
    running: await gated(),
    stopping,
    answered,
    deleted: await ran(declare({ Build: { Unit: {} } })),
    jobs: offers,
    webhook: 'known',
    arn: (name) => `arn:aws:codepipeline:eu-west-1:111122223333:${name}`,
  };
}

function guarded(): PipelineDeclaration {
  const pipeline = declare({ Build: { Unit: {} } });
  const rule = {
    name: 'IsGreen',
    ruleTypeId: { category: 'Rule', owner: 'AWS', provider: 'VariableCheck', version: '1' },
    configuration: { Variable: 'red', Value: 'green', Operator: 'EQ' },
  } as const;
  pipeline.stages![1]!.beforeEntry = { conditions: [{ result: 'FAIL', rules: [rule] }] };
  return pipeline;
}

export const approvalOf = ({ name, token }: { readonly name: string; readonly token: string }) => ({
  pipelineName: name,
  stageName: 'Gate',
  actionName: 'Approve',
  token,
  result: { status: 'Approved', summary: '' } as const,
});

export const webhookOf = (targetPipeline: string, name: string) => ({
  name,
  targetPipeline,
  targetAction: 'Fetch',
  filters: [{ jsonPath: '$.ref' }],
  authentication: 'UNAUTHENTICATED' as const,
  authenticationConfiguration: {},
});
