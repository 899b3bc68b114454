import type { StageDeclaration } from '../../pipeline/definition.ts';
import type { ActionRun, StageRun } from '../../pipeline/execution.ts';
import { hasFailed, hasRunningActions, hasRunningRules, isUnmet, mayStillRetry } from '../../pipeline/status.ts';
import { isCanceled } from './observe-action.ts';
import { given } from './read-declaration.ts';
import { lagMs, over, quietFor, type Around, type Seen } from './seen-stage.ts';

/** Whether and how the stage came to rest; once it has, only a new attempt opens it again. */
export function settlementOf(
  seen: Seen,
  around: Around,
  run: StageRun,
): Pick<StageRun, 'endedAt' | 'stopped' | 'cancelled'> {
  const { before, state } = seen;
  const known = new Set(before && idsOf(before));
  if (before?.endedAt !== undefined && !isReopened(run) && idsOf(run).every((id) => known.has(id))) {
    const { endedAt, stopped, cancelled } = before;
    return around.later ? { endedAt } : given({ endedAt, stopped, cancelled });
  }
  const isComplete = hasAllSucceeded(seen, run);
  if (!isSettled(seen, around, run, isComplete)) return {};
  const endedAt = lastEnd(run.actions) ?? around.look.at;
  if (around.later) return { endedAt };
  // The stage may show the next execution already, or be the older read; then the whole execution's end tells.
  const told = state?.latestExecution?.status ?? '';
  const status = atRest.has(told) ? told : around.observed.execution.status;
  const isAbandoned = run.actions.some((one) => one.status === 'Abandoned');
  // In PARALLEL mode nobody waits between two stages: the last one that was entered is where it ended.
  const isEarly = state !== undefined || around.isParallel || isAbandoned || !isComplete;
  const isUnexplained = status === 'Failed' && !isComplete && !hasFailed(run, seen.stage);
  return given({
    endedAt,
    stopped: (status === 'Stopped' && isEarly) || isUnexplained || undefined,
    cancelled: (status === 'Cancelled' && isEarly) || run.actions.some(isCanceled) || undefined,
  });
}

/** An override leads on from the entrance. */
function isReopened({ actions, conditions }: StageRun): boolean {
  return actions.length === 0 && conditions?.beforeEntry?.overridden !== undefined;
}

function idsOf({ actions, conditions = {} }: StageRun): readonly string[] {
  return [...actions, ...Object.values(conditions).flatMap(({ rules }) => rules)].map(({ id }) => id);
}

function hasAllSucceeded({ stage }: Seen, { actions }: StageRun): boolean {
  const has = (name: string) => actions.some((run) => run.action === name && run.status === 'Succeeded');
  return (stage?.actions ?? []).every(({ name }) => has(name));
}

function isSettled(
  { stage, state }: Seen,
  { observed, look, later, stopAsked }: Around,
  run: StageRun,
  isComplete: boolean,
): boolean {
  if (hasRunningActions(run)) return false;
  const status = observed.execution.status;
  const isOver = over.has(status);
  // Without actions the execution has gone past it by skipping it, and the read of the rule is the older one.
  const isPast = later && run.actions.length > 0;
  if (!isPast && hasRunningRules(run) && (later || !isOver || status === 'Failed')) return false;
  const told = state?.latestExecution?.status;
  const end = told ?? (isOver ? status : undefined);
  if (later || end === 'Stopped' || end === 'Cancelled') return true;
  if (hasFailed(run, stage)) return isOver || !(stopAsked || mayStillRetry(run, stage));
  if (told !== undefined && !atRest.has(told)) return false;
  if (!isOver && isRollingBack(run, stage)) return false;
  const isQuiet = quietFor(observed, look) > lagMs;
  // Nobody but AWS says that this was all: an update or a stop may have come in between.
  if (isComplete && (!stage?.onSuccess || run.conditions?.onSuccess)) return end !== undefined || isQuiet;
  // It ended, and not all of it is to be seen yet.
  const overriddenAt = Date.parse(run.conditions?.beforeEntry?.overridden?.at ?? '') || 0;
  const quietMs = Math.min(quietFor(observed, look), Date.parse(look.at) - overriddenAt);
  return end === 'Succeeded' || (end !== undefined && quietMs > lagMs);
}

/** Its own actions succeeded, and that is not how the execution ends (CP-C-7). */
export function isRollingBack({ conditions }: StageRun, stage: StageDeclaration | undefined): boolean {
  const isUnmetThere = conditions?.onSuccess !== undefined && isUnmet(conditions.onSuccess);
  return isUnmetThere && stage?.onSuccess?.conditions[0]?.result === 'ROLLBACK';
}

/** A status that AWS invents later counts as not ended. */
export const atRest: ReadonlySet<string> = new Set(['Succeeded', 'Failed', 'Stopped', 'Cancelled', 'Skipped']);

function lastEnd(runs: readonly ActionRun[]): string | undefined {
  return runs
    .flatMap((run) => run.endedAt ?? [])
    .toSorted()
    .at(-1);
}
