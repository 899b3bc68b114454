import { bookOf, definitionOf, executionOf, refuse, runOf, type Draft, type Verdict } from './draft.ts';
import type { Execution, ExecutionId, TriggerType } from './execution.ts';
import { rollbackExecutionId } from './ids.ts';
import type { PipelineCommand } from './protocol.ts';
import { isOccupied, occupy } from './stage-occupancy.ts';
import { record } from './start.ts';
import { stageStatus } from './status.ts';

type RollbackCommand = Extract<PipelineCommand, { kind: 'rollback' }>;

/** A new execution that runs one stage with the revisions and variables of an earlier one (CP 2.8). */
export function rollBackStage(draft: Draft, command: RollbackCommand): Verdict {
  if (draft.executions[command.execution]) return { ignored: `Execution ${command.execution} was started already.` };
  const target = draft.executions[command.target];
  if (!target) {
    const message = `Execution ${command.target} is not known here. Name an execution that succeeded in '${command.stage}'.`;
    return refuse('PipelineExecutionNotFoundException', 'CP-X-53', message);
  }
  const refusal = whyNot(draft, target, command.stage);
  if (refusal) return refusal;
  start(draft, command.execution, target, command.stage, 'ManualRollback');
  return 'moved';
}

function whyNot(draft: Draft, target: Execution, stage: string): Verdict | undefined {
  const stages = definitionOf(draft, target).stages;
  if (!stages.some((other) => other.name === stage)) {
    return refuse('StageNotFoundException', 'CP-X-53', `The pipeline has no stage named '${stage}'.`);
  }
  if (target.definition !== digestInForce(draft)) {
    const message = `Execution ${target.id} ran with another version of the pipeline; roll back to one of the current version.`;
    return refuse('PipelineExecutionOutdatedException', 'CP-X-53', message);
  }
  if (stages[0]?.name === stage)
    return unable('CP-X-54', `Stage '${stage}' is the source stage and cannot be rolled back.`);
  if (target.type === 'ROLLBACK') return unable('CP-X-53', `Execution ${target.id} is a rollback itself.`);
  const run = runOf(draft, target.id, stage);
  if (!run || stageStatus(run, target, definitionOf(draft, target)) !== 'Succeeded') {
    return unable('CP-X-59', `Execution ${target.id} did not succeed in stage '${stage}'.`);
  }
  if (isOccupied(draft, stage)) return unable('CP-X-53', `Stage '${stage}' is in progress. Wait until it has ended.`);
  return undefined;
}

function unable(rule: string, message: string): Verdict {
  return refuse('UnableToRollbackStageException', rule, message);
}

/** The declaration in force: the one that an update set, else that of the newest execution that got into a stage. */
function digestInForce(draft: Draft): string | undefined {
  if (draft.current !== undefined) return draft.current;
  const entered = Object.values(draft.executions).filter(
    ({ type, stages }) => type === 'STANDARD' && stages.length > 0,
  );
  return entered.toSorted((a, b) => b.order - a.order)[0]?.definition;
}

/** To the stage's latest success of the same version; without one nothing happens (CP-X-57). */
export function rollBackAutomatically(draft: Draft, failed: ExecutionId, stage: string): void {
  const execution = executionOf(draft, failed);
  const latest = bookOf(draft, stage).latestSucceeded;
  const target = latest === undefined ? undefined : draft.executions[latest];
  if (!target || target.id === failed || target.definition !== execution.definition) return;
  // CP-X-63: the pipeline was updated while the stage failed.
  if (draft.current !== undefined && draft.current !== target.definition) return;
  const attempt = runOf(draft, failed, stage)?.attempt ?? 1;
  const id = rollbackExecutionId(draft.given.seed, failed, stage, attempt);
  if (!draft.executions[id]) start(draft, id, target, stage, 'AutomatedRollback');
}

function start(draft: Draft, id: ExecutionId, target: Execution, stage: string, type: TriggerType): void {
  const by = draft.given.by;
  record(draft, {
    id,
    lane: target.lane,
    pipeline: target.pipeline,
    order: draft.started + 1,
    definition: target.definition,
    mode: target.mode,
    type: 'ROLLBACK',
    rollbackTarget: target.id,
    trigger: { type, detail: by.kind === 'api' ? JSON.stringify({ AwsUserArn: by.arn }) : '{}' },
    sourceRevisions: target.sourceRevisions,
    variables: target.variables,
    startedAt: draft.at,
    startedBy: by,
    updatedAt: draft.at,
    stages: [],
    ...(target.exclusive && { exclusive: target.exclusive }),
  });
  occupy(draft, id, stage);
}
