// What one transition of the pure core costs, how it grows, and what writing its row costs. Prints one line of JSON.
// Ratios within one run are what counts: machines differ and are noisy.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { jsonText } from '../src/db/json.ts';
import type { ActionDeclaration, PipelineDefinition } from '../src/pipeline/definition.ts';
import { digestOf } from '../src/pipeline/digest.ts';
import { laneKey, type ExecutionId } from '../src/pipeline/execution.ts';
import type { PipelineState } from '../src/pipeline/protocol.ts';
import { emptyState, transition } from '../src/pipeline/transition.ts';
import { benchDatabase, percentile } from './database.ts';

const lane = laneKey(1, 'bench');
const by = { kind: 'penstock', why: 'bench' } as const;
const at = new Date('2026-01-01T00:00:00Z');

function definitionOf(stages: number, actions: number): PipelineDefinition {
  const perStage = Math.max(1, Math.round(actions / stages));
  return {
    name: 'bench',
    roleArn: 'arn:aws:iam::111122223333:role/pipeline',
    version: 1,
    pipelineType: 'V2',
    executionMode: 'PARALLEL',
    artifactStore: { type: 'S3', location: 'bench' },
    variables: [],
    triggers: [],
    stages: Array.from({ length: stages }, (_, stage) => ({
      name: `Stage${stage}`,
      blockers: [],
      actions: Array.from({ length: stage === 0 ? 1 : perStage }, (__, action) => actionOf(stage, action)),
    })),
  };
}

function actionOf(stage: number, action: number): ActionDeclaration {
  const provider = stage === 0 ? 'CodeStarSourceConnection' : 'Commands';
  return {
    name: `Action${action}`,
    actionTypeId: { category: stage === 0 ? 'Source' : 'Compute', owner: 'AWS', provider, version: '1' },
    runOrder: 1 + action,
    configuration: {},
    commands: ['true'],
    environmentVariables: [],
    outputVariables: [],
    inputArtifacts: [],
    outputArtifacts: [],
  };
}

function move(state: PipelineState, input: Parameters<typeof transition>[1]): PipelineState {
  const moved = transition(state, input, { at, seed: 'bench', by });
  return moved.outcome === 'moved' ? moved.state : state;
}

function started(definition: PipelineDefinition, live: number): PipelineState {
  let state = emptyState(lane, 'bench');
  const digest = digestOf(definition);
  const trigger = { type: 'WebhookV2', detail: '' } as const;
  for (let n = 0; n < live; n += 1) {
    const execution = randomUUID() as ExecutionId;
    state = move(state, { kind: 'start', execution, definition, digest, trigger, sourceRevisions: [], variables: [] });
  }
  return state;
}

/** Microseconds per transition: one execution is driven to its end among the others that are live. */
function microseconds(definition: PipelineDefinition, live: number): { us: number; state: PipelineState } {
  const base = started(definition, live);
  const id = Object.keys(base.executions).at(-1) as ExecutionId;
  let best = Number.POSITIVE_INFINITY;
  let last = base;
  for (let round = 0; round < 30; round += 1) {
    let state = base;
    let count = 0;
    const begun = performance.now();
    for (;;) {
      const running = state.executions[id]?.stages
        .flatMap((one) => one.actions)
        .find((one) => one.status === 'InProgress');
      if (!running) break;
      state = move(state, { kind: 'action-succeeded', execution: id, action: running.id });
      count += 1;
    }
    best = Math.min(best, ((performance.now() - begun) * 1000) / count);
    last = state;
  }
  return { us: Math.round(best * 10) / 10, state: last };
}

const tenStages = definitionOf(10, 50);
microseconds(tenStages, 1);
const perLive = Object.fromEntries([1, 10, 50].map((live) => [live, microseconds(tenStages, live).us]));
const perActions = Object.fromEntries(
  [10, 50, 200, 1000].map((actions) => [actions, microseconds(definitionOf(10, actions), 1).us]),
);

const open = await benchDatabase();
const execution = Object.values(microseconds(tenStages, 1).state.executions)[0];
await sql`create table if not exists bench_rows (id int primary key, state jsonb)`.execute(open.db);
const writes: number[] = [];
for (let n = 0; n < 300; n += 1) {
  const begun = performance.now();
  const text = jsonText(execution);
  await sql`insert into bench_rows values (1, ${text}::jsonb) on conflict (id) do update set state = excluded.state`.execute(
    open.db,
  );
  writes.push(performance.now() - begun);
}
await sql`drop table bench_rows`.execute(open.db);
await open.close();

console.log(
  JSON.stringify({
    bench: 'core',
    pipeline: '10 stages, 46 actions',
    transitionsPerSecond: Math.round(1_000_000 / (perLive[1] ?? 1)),
    microsecondsByLiveExecutions: perLive,
    microsecondsByActions: perActions,
    rowWriteMs: { p50: percentile(writes, 0.5), p95: percentile(writes, 0.95), engine: open.engine },
  }),
);
