import { shortSha } from './markdown.ts';
import { endedStage, takes, type StageView, type WaitingGate } from './stage-view.ts';
import { own, type ButtonView, type ExecutionView } from './view.ts';

/** What can be pressed on a check run that is completed; GitHub shows at most three. */

export function gateButtons(view: ExecutionView, gates: readonly WaitingGate[]): readonly ButtonView[] {
  const [gate] = gates;
  if (!gate || gates.length > 1 || !takes(view, gate, 'button')) return [];
  return [
    { label: 'Approve', identifier: 'approve', description: 'Let the execution go on' },
    { label: 'Reject', identifier: 'reject', description: 'Fail the stage' },
  ];
}

export const retryButtons: readonly ButtonView[] = [
  { label: 'Retry failed', identifier: 'retry', description: 'Run the failed actions again' },
  { label: 'Retry stage', identifier: 'retry-all', description: 'Run every action of the stage again' },
];

export function rollbackButtons(view: ExecutionView, stage: StageView | undefined): readonly ButtonView[] {
  const to = stage ? own(view.rollbackTo, stage.name) : undefined;
  if (!to) return [];
  return [{ label: 'Roll back', identifier: 'rollback', description: `Put back what ${shortSha(to.sha)} put there` }];
}

/** What a person stopped can be retried; what ended with its pull request can not. */
export function stoppedButtons(view: ExecutionView, stage: StageView | undefined): readonly ButtonView[] {
  const stopped = stage ?? endedStage(view);
  return view.execution.ending === undefined && stopped?.run ? retryButtons.slice(1) : [];
}
