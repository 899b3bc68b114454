import type { Transaction } from 'kysely';
import type { Database } from '../../db/database.ts';
import { loadDefinitions } from '../../db/definitions.ts';
import { loadExecutions, liveExecutionsOfLane, type ExecutionRecord } from '../../db/executions.ts';
import type { Lane } from '../../db/lanes.ts';
import type { ExecutionId } from '../../pipeline/execution.ts';
import type { Input, PipelineState, StageBook } from '../../pipeline/protocol.ts';

export interface LoadedState {
  readonly state: PipelineState;
  /** The rows behind `state.executions`, by id. */
  readonly records: ReadonlyMap<string, ExecutionRecord>;
}

/** Reads what the core needs for one input; the lane's row must be locked already. */
export async function loadState(trx: Transaction<Database>, lane: Lane, input: Input): Promise<LoadedState> {
  const live = await liveExecutionsOfLane(trx, lane.key);
  const known = new Set(live.map((record) => record.execution.id));
  const named = namedExecutions(lane.stages, input).filter((id) => !known.has(id));
  const records = [...live, ...(named.length > 0 ? await loadExecutions(trx, named) : [])].filter(
    (record) => record.execution.lane === lane.key,
  );
  const digests = new Set(records.map((record) => record.execution.definition));
  if (lane.current !== null) digests.add(lane.current);
  const definitions = await loadDefinitions(trx, [...digests]);
  return {
    state: {
      lane: lane.key,
      pipeline: lane.pipeline,
      started: lane.started,
      stages: lane.stages,
      ...(lane.current === null ? {} : { current: lane.current }),
      definitions,
      executions: Object.fromEntries(records.map((record) => [record.execution.id, record.execution])),
    },
    records: new Map(records.map((record) => [record.execution.id, record])),
  };
}

function namedExecutions(stages: Readonly<Record<string, StageBook>>, input: Input): ExecutionId[] {
  const ids = new Set<ExecutionId>();
  for (const book of Object.values(stages)) {
    for (const id of [book.latestEntered, book.latestSucceeded, ...book.inbound]) if (id) ids.add(id);
  }
  if ('execution' in input && input.kind !== 'start') ids.add(input.execution);
  if (input.kind === 'rollback') ids.add(input.target);
  return [...ids];
}
