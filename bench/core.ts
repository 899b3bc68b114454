// What one transition of the pure core costs, how it grows, and what writing its row costs. Prints one line of JSON.
// Ratios within one run are what counts: machines differ and are noisy.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { jsonText } from '../src/db/json.ts';
import type { OpenDatabase } from '../src/db/open.ts';
import { changes } from '../src/pipeline/changes.ts';
import type { ActionDeclaration, ExecutionMode, PipelineDefinition } from '../src/pipeline/definition.ts';
import { digestOf } from '../src/pipeline/digest.ts';
import { laneKey, type Execution, type ExecutionId } from '../src/pipeline/execution.ts';
import type { Input, PipelineState } from '../src/pipeline/protocol.ts';
import { emptyState, transition } from '../src/pipeline/transition.ts';
import { benchDatabase, percentile } from './database.ts';

const lane = laneKey(1, 'bench');
const by = { kind: 'penstock', why: 'bench' } as const;
const at = new Date('2026-01-01T00:00:00Z');
const rounds = 15;

/** `counts`: actions of each stage, which all run at the same time. */
function definitionOf(counts: readonly number[], executionMode: ExecutionMode): PipelineDefinition {
  return {
    name: 'bench',
    roleArn: 'arn:aws:iam::111122223333:role/pipeline',
    version: 1,
    pipelineType: 'V2',
    executionMode,
    artifactStore: { type: 'S3', location: 'bench' },
    variables: [],
    triggers: [],
    stages: counts.map((count, stage) => ({
      name: `Stage${stage}`,
      blockers: [],
      actions: Array.from({ length: count }, (_, action) => actionOf(stage, action)),
    })),
  };
}

function actionOf(stage: number, action: number): ActionDeclaration {
  const provider = stage === 0 ? 'CodeStarSourceConnection' : 'Commands';
  return {
    name: `Action${action}`,
    actionTypeId: { category: stage === 0 ? 'Source' : 'Compute', owner: 'AWS', provider, version: '1' },
    runOrder: 1,
    configuration: {},
    commands: ['true'],
    environmentVariables: [],
    outputVariables: [],
    inputArtifacts: [],
    outputArtifacts: [],
  };
}

/** As the shell does: what changed is worked out for each transition. */
function move(state: PipelineState, input: Input): PipelineState {
  const moved = transition(state, input, { at, seed: 'bench', by });
  if (moved.outcome !== 'moved') throw new Error(`the benchmark asks for what cannot be: ${JSON.stringify(moved)}`);
  changes(state, moved.state);
  return moved.state;
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

function newest(state: PipelineState): Execution {
  const execution = Object.values(state.executions).at(-1);
  if (!execution) throw new Error('nothing was started');
  return execution;
}

function running(state: PipelineState, id: ExecutionId) {
  return state.executions[id]?.stages.at(-1)?.actions.find((one) => one.status === 'InProgress');
}

/** Microseconds of each transition: the best round of driving the newest execution to its end among the others. */
function driven(base: PipelineState): number {
  const { id } = newest(base);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) {
    let state = base;
    let count = 0;
    let spent = 0;
    for (let action = running(state, id); action; action = running(state, id)) {
      const begun = performance.now();
      state = move(state, { kind: 'action-succeeded', execution: id, action: action.id });
      spent += performance.now() - begun;
      count += 1;
    }
    best = Math.min(best, (spent * 1000) / count);
  }
  return tenth(best);
}

/** Microseconds of one transition. */
function once(state: PipelineState, input: Input): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) {
    const begun = performance.now();
    move(state, input);
    best = Math.min(best, (performance.now() - begun) * 1000);
  }
  return tenth(best);
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

async function rowWriteMs({ db }: OpenDatabase, execution: Execution): Promise<number> {
  const writes: number[] = [];
  for (let n = 0; n < 100; n += 1) {
    const begun = performance.now();
    const text = jsonText(execution);
    await sql`insert into bench_rows values (1, ${text}::jsonb) on conflict (id) do update set state = excluded.state`.execute(
      db,
    );
    writes.push(performance.now() - begun);
  }
  return percentile(writes, 0.5);
}

/** A stage whose actions all run at once: to start them, to end one, to abandon all, and to write the row. */
async function measureActions(open: OpenDatabase, actions: number) {
  const base = started(definitionOf([1, actions], 'SUPERSEDED'), 1);
  const { id } = newest(base);
  const source = running(base, id);
  if (!source) throw new Error('the source does not run');
  const begin = { kind: 'action-succeeded', execution: id, action: source.id } as const;
  const state = move(base, begin);
  return {
    startAll: once(base, begin),
    endOne: driven(state),
    abandonAll: once(state, { kind: 'stop', lane, execution: id, abandon: true }),
    rowWriteMs: await rowWriteMs(open, newest(state)),
  };
}

const tenStages = definitionOf(
  Array.from({ length: 10 }, () => 5),
  'PARALLEL',
);
driven(started(tenStages, 1));
const perLive = Object.fromEntries([1, 10, 50].map((live) => [live, driven(started(tenStages, live))]));

const open = await benchDatabase();
await sql`create table if not exists bench_rows (id int primary key, state jsonb)`.execute(open.db);
await measureActions(open, 50);
const perActions = new Map<number, Awaited<ReturnType<typeof measureActions>>>();
for (const actions of [10, 100, 1000]) perActions.set(actions, await measureActions(open, actions));
await sql`drop table bench_rows`.execute(open.db);
await open.close();

const few = perActions.get(10);
const many = perActions.get(1000);
const growth = (key: 'startAll' | 'endOne' | 'abandonAll' | 'rowWriteMs') =>
  tenth((many?.[key] ?? 0) / (few?.[key] ?? 1));
console.log(
  JSON.stringify({
    bench: 'core',
    pipeline: '10 stages, 50 actions',
    transitionsPerSecond: Math.round(1_000_000 / (perLive[1] ?? 1)),
    microsecondsByLiveExecutions: perLive,
    microsecondsByLiveActions: Object.fromEntries(perActions),
    // 100 times the actions: up to 100 is linear.
    growthFrom10To1000Actions: {
      startAll: growth('startAll'),
      endOne: growth('endOne'),
      abandonAll: growth('abandonAll'),
      rowWrite: growth('rowWriteMs'),
    },
    engine: open.engine,
  }),
);
