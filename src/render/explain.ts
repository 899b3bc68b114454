import { actorName } from '../pipeline/actor-name.ts';
import type { ActionDeclaration } from '../pipeline/definition.ts';
import { knownFailures, timedOut } from './known-failures.ts';
import type { ActionError, ActionRun } from '../pipeline/execution.ts';

/** Failure codes and CodePipeline's texts in plain words (codepipeline.md section 11): what happened and how to mend it. */
export interface FailureExplanation {
  /** A sentence without markup; may hold words of others. */
  readonly cause: string;
  readonly mend: string;
}

export type FailedRun = Pick<ActionRun, 'action' | 'attempt' | 'error' | 'answeredBy' | 'summary'>;

export function explainFailure(run: FailedRun, declared: ActionDeclaration | undefined): FailureExplanation {
  const error = run.error ?? { code: '', message: '' };
  if (declared?.actionTypeId.category === 'Approval') return explainApproval(run, error);
  const said = withoutCommand(error.message);
  const known = knownFailures.find(
    (row) => (row.code === undefined || row.code === error.code) && (row.message?.test(said) ?? true),
  );
  return known ?? { cause: 'It failed.', mend: 'Retry, or look at the details.' };
}

/** The words of a command say nothing of why it failed. */
function withoutCommand(message: string): string {
  return message
    .replace(/(Error while executing command: )[^]*(?= Reason: )/, '$1')
    .replace(/^(The command ")[^]*(?=" ended with )/, '$1');
}

/** What is known of an execution that failed as a whole. */
export function explainEnding(summary: string): FailureExplanation | undefined {
  return knownFailures.find((row) => row.code === undefined && row.message?.test(summary));
}

export function isTimeout(error: ActionError | undefined): boolean {
  return error !== undefined && timedOut.test(error.message);
}

/** An approval that nobody answered while its policy's `expireAfter` ran: the answer is Penstock's own. */
export function isExpired({ answeredBy }: Pick<ActionRun, 'answeredBy'>): boolean {
  return answeredBy?.kind === 'penstock';
}

/** A rejection carries who said no (CP-A-4); a time-out has nobody (CP-A-5). */
function explainApproval(run: FailedRun, error: ActionError): FailureExplanation {
  if (run.answeredBy && !isExpired(run))
    return { cause: `${actorName(run.answeredBy)} rejected it.`, mend: 'A retry of the stage asks again.' };
  return isExpired(run) || isTimeout(error)
    ? { cause: 'Nobody answered in time.', mend: 'A retry of the stage asks again.' }
    : { cause: 'It was not approved.', mend: 'A retry of the stage asks again.' };
}
