import { actorName } from '../pipeline/actor-name.ts';
import type { ActionDeclaration } from '../pipeline/definition.ts';
import type { ActionError, ActionRun } from '../pipeline/execution.ts';

/** Failure codes and CodePipeline's texts in plain words (codepipeline.md section 11): what happened and how to mend it. */
export interface FailureExplanation {
  /** A sentence without markup; may hold words of others. */
  readonly cause: string;
  readonly mend: string;
}

export type FailedRun = Pick<ActionRun, 'action' | 'attempt' | 'error' | 'answeredBy' | 'summary'>;

interface Known {
  /** Absent: any. */
  readonly code?: string;
  readonly message?: RegExp;
  readonly cause: string;
  readonly mend: string;
}

const retryLater = 'Retry in some minutes.';
const mendDeclaration = 'Mend the declaration and push: a retry alone would fail in the same way.';

/** The first row that fits is taken; F- and other ids are those of codepipeline.md. */
const knownFailures: readonly Known[] = [
  {
    // V-6
    message: /variables could not be resolved/i,
    cause: 'A variable in its configuration has no value: no action before it made a variable of that name.',
    mend: 'Compare each #{namespace.name} of the action with the namespace and the exported variables of earlier actions.',
  },
  {
    // F-23, CP 1.6
    message: /timed out/i,
    cause: 'It ran longer than it may.',
    mend: 'Retry if it was slow by chance, else raise timeoutInMinutes of the action.',
  },
  {
    // F-1
    message: /No Branch \[.*\] found|branch .* does not exist|no branch named/i,
    cause: 'The branch of the source action is not there, or Penstock may not see it.',
    mend: 'Check BranchName and FullRepositoryId (upper and lower case count), and that the App is installed on the repository.',
  },
  {
    // F-2
    message: /Unable to use Connection/i,
    cause: 'The role of the pipeline may not use the connection to GitHub.',
    mend: 'Allow codestar-connections:UseConnection for the role, then retry.',
  },
  {
    // F-4, F-8
    message: /Upload to S3 failed|S3.*AccessDenied|access the Amazon S3 bucket/i,
    cause: 'The role may not read or write the bucket of the artifacts.',
    mend: 'Allow the role to use the bucket (and its key), then retry.',
  },
  {
    // F-10
    message: /NoSuchKey|input artifact .*(not found|missing)/i,
    cause: 'An input artifact was never written by the action that should make it.',
    mend: 'Look at the output files of the earlier action, then retry its stage with all actions.',
  },
  {
    // F-15
    message: /Lambda function .* does not exist/i,
    cause: 'The Lambda function is not there.',
    mend: `Check FunctionName and the region. ${mendDeclaration}`,
  },
  {
    // F-20
    message: /ECS container .* does not exist/i,
    cause: 'The image definitions name a container that the task definition does not have.',
    mend: 'Use the same container name in both, push, and let it run again.',
  },
  {
    // F-17
    message: /Build terminated with state: (FAILED|FAULT|STOPPED)/i,
    cause: 'The build failed.',
    mend: 'The end of its log says why. Push a fix, or retry if it failed by chance.',
  },
  {
    code: 'ActionLost',
    cause: 'The process that ran it is gone, so how far it came is not known.',
    mend: 'Retry if running it twice does no harm; else look first at what it left behind.',
  },
  {
    code: 'JobFailed',
    cause: 'One of its commands failed.',
    mend: 'The end of its log says why. Push a fix, or retry if it failed by chance.',
  },
  { code: 'ConfigurationError', cause: 'Its configuration cannot be used.', mend: mendDeclaration },
  {
    code: 'PermissionError',
    cause: 'A permission is missing.',
    mend: 'Give the role what the message names, then retry.',
  },
  {
    code: 'RevisionUnavailable',
    cause: 'The revision is not there any more.',
    mend: 'Start a new execution with /rerun or by a push.',
  },
  { code: 'RevisionOutOfSync', cause: 'The revision changed under it.', mend: 'Start a new execution with /rerun.' },
  { code: 'SystemUnavailable', cause: 'The service that runs it was away.', mend: retryLater },
  { code: 'ThrottlingException', cause: 'The service that runs it was asked too often.', mend: retryLater },
  {
    code: 'InternalError',
    cause: 'Something broke outside of your change.',
    mend: `${retryLater} If it comes again, tell whoever runs this server.`,
  },
  {
    code: 'RuleTimedOut',
    cause: 'A rule of a condition gave no answer in time.',
    mend: 'Look at what the rule asks, then retry or override the condition.',
  },
];

export function explainFailure(run: FailedRun, declared: ActionDeclaration | undefined): FailureExplanation {
  const error = run.error ?? { code: '', message: '' };
  if (declared?.actionTypeId.category === 'Approval') return explainApproval(run, error);
  const known = knownFailures.find(
    (row) => (row.code === undefined || row.code === error.code) && (row.message?.test(error.message) ?? true),
  );
  return known ?? { cause: 'It failed.', mend: 'Retry, or look at the details.' };
}

export function isTimeout(error: ActionError | undefined): boolean {
  return error !== undefined && /timed out/i.test(error.message);
}

/** A rejection carries who said no (CP-A-4); a time-out has nobody (CP-A-5). */
function explainApproval(run: FailedRun, error: ActionError): FailureExplanation {
  if (run.answeredBy)
    return { cause: `${actorName(run.answeredBy)} rejected it.`, mend: 'A retry of the stage asks again.' };
  return isTimeout(error)
    ? { cause: 'Nobody answered in time.', mend: 'A retry of the stage asks again.' }
    : { cause: 'It was not approved.', mend: 'A retry of the stage asks again.' };
}
