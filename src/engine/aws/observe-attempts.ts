import type { StageDeclaration } from '../../pipeline/definition.ts';
import type { ActionRun } from '../../pipeline/execution.ts';
import { observeAction } from './observe-action.ts';
import type { Around, Seen } from './seen-stage.ts';

export interface Attempt {
  readonly run: ActionRun;
  /** No newer attempt took its place, and none will. */
  readonly isCurrent: boolean;
}

/** Every attempt that AWS lists or that is on record, oldest first. */
export function attemptsOf(seen: Seen, { observed, look }: Around): readonly Attempt[] {
  const known = [...(seen.before?.earlier ?? []), ...(seen.before?.actions ?? [])];
  const missing = known.filter(({ id }) => !seen.details.some((detail) => detail.actionExecutionId === id));
  const told = seen.details.map((detail): Counted => {
    const state = seen.state?.actionStates?.find((one) => one.actionName === detail.actionName)?.latestExecution;
    return observeAction({
      detail,
      declared: seen.stage?.actions.find((action) => action.name === detail.actionName),
      state: state?.actionExecutionId === detail.actionExecutionId ? state : undefined,
      prior: known.find((one) => one.id === detail.actionExecutionId),
      story: observed.stories[detail.actionExecutionId ?? ''],
      at: look.at,
      roleArn: look.roleArn,
    });
  });
  const all = [...missing, ...told].toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  return all.map((run, index) => ({
    run: { ...run, attempt: all.slice(0, index + 1).filter((other) => other.action === run.action).length },
    isCurrent: !all.slice(index + 1).some((newer) => replaces(seen.stage, newer, run)),
  }));
}

type Counted = Omit<ActionRun, 'attempt'>;

/** Also what began anew in an earlier group: the later group runs again after it (CP-X-44). */
function replaces(stage: StageDeclaration | undefined, newer: Counted, older: Counted): boolean {
  const orderOf = ({ action }: Counted) => stage?.actions.find((one) => one.name === action)?.runOrder ?? 0;
  return newer.action === older.action || orderOf(newer) < orderOf(older);
}
