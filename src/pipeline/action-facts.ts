import { endAction, failAction, findAction, replaceAction, type FoundAction } from './actions.ts';
import { timeoutMinutes } from './action-types.ts';
import { executionOf, putExecution, stageOf, type Draft, type Verdict } from './draft.ts';
import type { ActionRun, ExecutionId, SourceRevision } from './execution.ts';
import type { Fact } from './fact.ts';

/** What is reported of actions. Late and repeated facts are normal and change nothing (CP-X-36, CP-J-14). */

type FactOf<K extends Fact['kind']> = Extract<Fact, { kind: K }>;
type ActionFact = FactOf<
  'action-running' | 'action-waiting' | 'action-succeeded' | 'action-failed' | 'deadline-passed'
>;

export function actionRunning(draft: Draft, fact: FactOf<'action-running'>): Verdict {
  const found = inProgress(draft, fact);
  if ('ignored' in found) return found;
  if (found.action.phase === 'waiting') return { ignored: `Action ${found.action.action} waits for a person.` };
  const running: ActionRun = {
    ...found.action,
    phase: 'running',
    ...detailsOf(fact),
  };
  if (JSON.stringify(running) === JSON.stringify(found.action)) {
    return { ignored: `Nothing new about action ${found.action.action}.` };
  }
  replaceAction(draft, found, running);
  return 'moved';
}

export function actionWaiting(draft: Draft, fact: FactOf<'action-waiting'>): Verdict {
  const found = inProgress(draft, fact);
  if ('ignored' in found) return found;
  if (found.action.phase === 'waiting') return { ignored: `Action ${found.action.action} waits already.` };
  replaceAction(draft, found, { ...found.action, phase: 'waiting', token: found.action.id });
  return 'moved';
}

export function actionSucceeded(draft: Draft, fact: FactOf<'action-succeeded'>): Verdict {
  const found = inProgress(draft, fact);
  if ('ignored' in found) return found;
  if (found.action.token !== undefined) {
    return { ignored: `Action ${found.action.action} is an approval: only a person's answer ends it well.` };
  }
  endAction(draft, found, { status: 'Succeeded', ...detailsOf(fact) });
  if (fact.revision) takeRevision(draft, fact.execution, { ...fact.revision, actionName: found.action.action });
  draft.due.add(fact.execution);
  return 'moved';
}

export function actionFailed(draft: Draft, fact: FactOf<'action-failed'>): Verdict {
  const found = inProgress(draft, fact);
  if ('ignored' in found) return found;
  failAction(draft, found, fact.error, externals(fact));
  draft.due.add(fact.execution);
  return 'moved';
}

/** CodePipeline leaves the provider's work running (CP-F-23); ours is stopped, it would only use up the machine. */
export function deadlinePassed(draft: Draft, fact: FactOf<'deadline-passed'>): Verdict {
  const found = inProgress(draft, fact);
  if ('ignored' in found) return found;
  const { action, attempt, token } = found.action;
  const declaration = stageOf(draft, found.execution, found.run.stage)?.actions.find((other) => other.name === action);
  const minutes = declaration ? timeoutMinutes(declaration) : 60;
  failAction(draft, found, { code: 'JobFailed', message: `The action timed out after ${minutes} minutes.` });
  if (token === undefined) {
    const { execution, action: id } = fact;
    draft.effects.push({ kind: 'stop-action', execution, stage: found.run.stage, action, attempt, id });
  }
  draft.due.add(fact.execution);
  return 'moved';
}

function inProgress(draft: Draft, fact: ActionFact): FoundAction | { readonly ignored: string } {
  if (!draft.executions[fact.execution]) return { ignored: `Execution ${fact.execution} is not known in this lane.` };
  const found = findAction(draft, fact.execution, fact.action);
  if (!found) return { ignored: `Action execution ${fact.action} is of an earlier attempt or not known.` };
  const { action, status } = found.action;
  return status === 'InProgress' ? found : { ignored: `Action ${action} is ${status} already.` };
}

/** Each shows as it was last told (CP-J-11). */
function detailsOf(fact: FactOf<'action-running' | 'action-succeeded'>): Partial<ActionRun> {
  return {
    ...externals(fact),
    ...(fact.summary !== undefined && { summary: fact.summary }),
    ...(fact.percentComplete !== undefined && { percentComplete: fact.percentComplete }),
  };
}

function externals(fact: {
  readonly externalExecutionId?: string;
  readonly externalExecutionUrl?: string;
}): Partial<ActionRun> {
  return {
    ...(fact.externalExecutionId !== undefined && { externalExecutionId: fact.externalExecutionId }),
    ...(fact.externalExecutionUrl !== undefined && { externalExecutionUrl: fact.externalExecutionUrl }),
  };
}

function takeRevision(draft: Draft, id: ExecutionId, revision: SourceRevision): void {
  const execution = executionOf(draft, id);
  const others = execution.sourceRevisions.filter((known) => known.actionName !== revision.actionName);
  const asked = execution.sourceRevisions.find((known) => known.actionName === revision.actionName);
  // Who told of the very revision that was taken knows its change and its age.
  const known = asked?.revisionId === revision.revisionId ? asked : {};
  putExecution(draft, { ...execution, sourceRevisions: [...others, { ...known, ...revision }] });
}
