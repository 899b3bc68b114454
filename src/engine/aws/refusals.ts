import type { Refusal } from '../../pipeline/protocol.ts';

/** What a person can do when CodePipeline says no, by the exception of its model (CP-8.2). */
const mends: Readonly<Record<string, string>> = {
  ApprovalAlreadyCompletedException: 'Somebody answered before; the check shows the answer in a moment.',
  ConcurrentModificationException: 'The pipeline is being changed right now. Try again in a minute.',
  ConditionNotOverridableException: 'Only a condition that was not met, or is being looked at, can be overridden.',
  ConflictException: 'Something else works on this stage right now. Try again in a minute.',
  DuplicatedStopRequestException: 'It is being stopped already.',
  InvalidApprovalTokenException: 'The request was answered elsewhere or is over. Look at the check again.',
  NotLatestPipelineExecutionException:
    'A newer execution has entered this stage since. Retry that one, or start this commit anew with `/rerun`.',
  PipelineExecutionNotStoppableException: 'It is over already, or was superseded by a newer one.',
  PipelineExecutionOutdatedException:
    'The pipeline was changed since that execution. Choose a newer one to roll back to.',
  StageNotRetryableException:
    'Nothing in this stage failed, or the pipeline was changed since. Start it anew with `/rerun`.',
  UnableToRollbackStageException: 'No earlier execution with the pipeline as it is today succeeded in this stage.',
};

/** CodePipeline's own words, and what to do. */
export function refusalOf(exception: string, message: string): Refusal {
  // The SDK's word for an answer without a message.
  const said = message === 'UnknownError' ? '' : message.trim();
  const mend = Object.hasOwn(mends, exception) ? mends[exception] : undefined;
  const ended = said === '' || /[.!?]$/.test(said) ? said : `${said}.`;
  return { exception, message: [ended, mend].filter(Boolean).join(' ') || exception, rule: 'CP-8.2' };
}
