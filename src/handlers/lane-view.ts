import type { Kysely } from 'kysely';
import type { Database } from '../db/database.ts';
import { findExecution, recentExecutions, type ExecutionRecord } from '../db/executions.ts';
import { loadLane, type Lane } from '../db/lanes.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { ExecutionView } from '../render/view.ts';

type LaneView = Pick<ExecutionView, 'rollbackTo' | 'holds' | 'supersededBySha'>;

/** What an execution's checks tell of its lane: where a stage could go back to, what is held, who overtook it. */
export async function laneView(
  db: Kysely<Database>,
  record: ExecutionRecord,
  definition: PipelineDefinition,
): Promise<LaneView> {
  const lane = await loadLane(db, record.execution.lane);
  const sha = await overtakenBy(db, record);
  return {
    rollbackTo: lane ? await rollbackTargets(db, record, { lane, definition }) : {},
    holds: lane ? holdsOf(lane) : {},
    ...(sha === undefined ? {} : { supersededBySha: sha }),
  };
}

function holdsOf(lane: Lane): NonNullable<LaneView['holds']> {
  const held = Object.entries(lane.stages).flatMap(([stage, { inboundTransition }]) => {
    if (!inboundTransition || inboundTransition.enabled) return [];
    const { reason, changedBy } = inboundTransition;
    return [[stage, { by: changedBy, ...(reason === undefined ? {} : { reason }) }] as const];
  });
  return Object.fromEntries(held);
}

async function overtakenBy(db: Kysely<Database>, { execution }: ExecutionRecord): Promise<string | undefined> {
  const newer = execution.ending?.as === 'Superseded' ? execution.ending.by.execution : undefined;
  if (newer === undefined) return undefined;
  return (await findExecution(db, newer))?.context.headSha;
}

/** How far back an earlier success is looked for. */
const lookBack = 20;

/** For stages that deploy, where this execution was the last to enter: the newest other one that succeeded there. */
async function rollbackTargets(
  db: Kysely<Database>,
  { execution }: ExecutionRecord,
  { lane, definition }: { readonly lane: Lane; readonly definition: PipelineDefinition },
): Promise<LaneView['rollbackTo']> {
  const deploying = definition.stages.filter(({ actions }) =>
    actions.some(({ actionTypeId }) => actionTypeId.category === 'Deploy'),
  );
  const mine = deploying.filter(({ name }) => lane.stages[name]?.latestEntered === execution.id);
  if (mine.length === 0) return {};
  const recent = await recentExecutions(db, { lane: lane.key, limit: lookBack });
  const found = mine.flatMap(({ name }) => {
    const target = recent.find((one) => one.execution.id !== execution.id && succeededIn(one, name));
    return target ? [[name, { execution: target.execution.id, sha: target.context.headSha }] as const] : [];
  });
  return Object.fromEntries(found);
}

/** The same that `/rollback` goes back to: what ran there by itself, not by another rollback. */
function succeededIn({ execution }: ExecutionRecord, stage: string): boolean {
  const run = execution.type === 'STANDARD' && execution.stages.find((one) => one.stage === stage);
  return run !== false && run?.endedAt !== undefined && run.actions.every(({ status }) => status === 'Succeeded');
}
