import type { ApprovalCommand } from '../../commands/command.ts';
import { quote } from '../../commands/quote.ts';
import { actorName } from '../../pipeline/actor-name.ts';
import type { ActionRun } from '../../pipeline/execution.ts';
import { informed, newestPerPipeline, refused, type Answer, type Asked } from '../asked.ts';

interface Answered {
  readonly stage: string;
  readonly run: ActionRun;
}

/**
 * What became of the gate that somebody means who comes after its answer (SEC-B-17): the newest one of those that are
 * named. Undefined when none was answered.
 */
export function answeredBefore(
  asked: Pick<Asked, 'records'>,
  { verb, target }: Pick<ApprovalCommand, 'verb' | 'target'>,
): Answer | undefined {
  const [last] = newestPerPipeline(asked, target.pipeline)
    .flatMap(({ execution }) => execution.stages)
    .filter(({ stage }) => target.stage === undefined || stage === target.stage)
    .flatMap(({ stage, actions }): Answered[] => actions.map((run) => ({ stage, run })))
    .filter(({ run }) => run.answeredBy !== undefined && (target.action ?? run.action) === run.action)
    .toSorted((a, b) => Date.parse(b.run.endedAt ?? '') - Date.parse(a.run.endedAt ?? ''));
  return last && toldOf(verb, last);
}

/** Whoever wants what happened is told so; whoever wants the contrary is told that it is over. */
function toldOf(verb: ApprovalCommand['verb'], answered: Answered): Answer {
  const isSame = (verb === 'approve') === (answered.run.status === 'Succeeded');
  return isSame ? informed(`${words(answered)} already.`) : tooLate(answered);
}

export function tooLate(answered: Answered): Answer {
  return refused(`Too late: ${words(answered)}.`);
}

function words({ stage, run: { action, status, answeredBy } }: Answered): string {
  const gate = quote(`${stage}/${action}`);
  if (answeredBy?.kind === 'penstock') return `${gate} ended: ${answeredBy.why}`;
  const by = answeredBy === undefined ? '' : ` by ${quote(actorName(answeredBy))}`;
  return `${gate} was ${status === 'Succeeded' ? 'approved' : 'rejected'}${by}`;
}
