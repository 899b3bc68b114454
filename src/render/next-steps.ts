import { conditionStatus } from '../pipeline/status.ts';
import { code, fenced, prose } from './markdown.ts';
import type { Phase, StageView, WaitingGate } from './stage-view.ts';
import { endedStage } from './verdict.ts';
import type { ExecutionView } from './view.ts';
import { moment, prefixOf } from './words.ts';

/** What a person can do now, with lines to copy. Markdown paragraphs; none when there is nothing to do. */
export function nextSteps(view: ExecutionView, phase: Phase, stage?: StageView): readonly string[] {
  switch (phase.kind) {
    case 'gate':
      return gateSteps(view, phase.gates);
    case 'failed':
      return failedSteps(view, stage ?? endedStage(view));
    case 'stopped':
      return stoppedSteps(view, stage ?? endedStage(view));
    case 'stopping':
      return [
        `It waits for the running actions to end. To end it now:`,
        lines(view, [`stop ${view.pipeline} abandon`]),
      ];
    case 'entrance':
      return entranceSteps(view, phase.stage);
    case 'superseded':
      return ['Nothing to do: the newer commit has its own checks.'];
    case 'succeeded':
      return rollbackSteps(view, stage);
    case 'not-reached':
    case 'queued':
    case 'running':
    case 'failing':
    case 'skipped':
    case 'cancelled':
      return [];
    default:
      return phase satisfies never;
  }
}

/** The exact comment that answers a gate of this execution. */
export function answerLine(view: ExecutionView, gate: WaitingGate, verb: 'approve' | 'reject'): string {
  const story = view.gates[`${gate.stage}/${gate.action}`];
  const sha = story?.shaNeeded ? ` ${view.headSha}` : '';
  const reason = story?.reasonNeeded ? ' reason' : '';
  return `${verb} ${view.pipeline}/${gate.stage}/${gate.action}${sha}${reason}`;
}

function gateSteps(view: ExecutionView, gates: readonly WaitingGate[]): readonly string[] {
  const commands = gates.flatMap((gate) => [answerLine(view, gate, 'approve'), answerLine(view, gate, 'reject')]);
  const buttons = gates.length === 1 ? 'Press **Approve** or **Reject** on this page' : '';
  if (view.pullRequest === undefined) return [`${buttons || onStage}. ${noPullRequest}`, ...gates.flatMap(reviewHints)];
  const how =
    buttons === '' ? 'Comment on the pull request one of these:' : `${buttons}, or comment on the pull request:`;
  return [how, lines(view, commands), ...gates.flatMap(reviewHints)];
}

const onStage = 'Press **Approve** or **Reject** on the check of each stage';
const noPullRequest = 'No pull request belongs to this commit, so comments cannot answer.';

/** What the pipeline's author wrote for reviewers, and until when they may answer. */
function reviewHints({ action, declared, run }: WaitingGate): readonly string[] {
  const custom = declared?.configuration['CustomData'];
  const url = declared?.configuration['ExternalEntityLink'];
  return [
    ...(custom === undefined ? [] : [`For the reviewer of ${code(action)}: ${prose(custom, 1000)}`]),
    ...(url === undefined ? [] : [`To review: ${code(url)}`]),
    ...(run.deadline === undefined ? [] : [`Waits since ${moment(run.startedAt)}, until ${moment(run.deadline)}.`]),
  ];
}

function failedSteps(view: ExecutionView, failed: StageView | undefined): readonly string[] {
  if (!failed) return ['Mend what it says and push, or start it again:', lines(view, [`run ${view.pipeline}`])];
  const path = `${view.pipeline}/${failed.name}`;
  const unmet = unmetCondition(failed);
  return [
    'Push a fix, or run it again on the same commit: only what failed, or the whole stage.',
    lines(view, [
      `retry ${path}`,
      `retry ${path} all`,
      ...(unmet === undefined ? [] : [`override ${path} ${unmet} reason`]),
      ...(view.rollbackTo[failed.name] ? [`rollback ${path}`] : []),
    ]),
  ];
}

/** The name, as `/override` takes it, of the condition that the stage failed by. */
export function unmetCondition(stage: StageView): 'entry' | 'success' | undefined {
  const { beforeEntry, onSuccess } = stage.run?.conditions ?? {};
  const isUnmet = (condition: typeof beforeEntry) =>
    condition !== undefined && ['Failed', 'Errored'].includes(conditionStatus(condition));
  if (isUnmet(onSuccess)) return 'success';
  return isUnmet(beforeEntry) ? 'entry' : undefined;
}

function stoppedSteps(view: ExecutionView, stopped: StageView | undefined): readonly string[] {
  if (view.execution.ending !== undefined) return [];
  const command = stopped?.run ? `retry ${view.pipeline}/${stopped.name} all` : `rerun ${view.pipeline}`;
  return ['To let it run again:', lines(view, [command])];
}

function entranceSteps(view: ExecutionView, stage: string): readonly string[] {
  const hold = view.holds?.[stage];
  if (!hold) return [];
  const reason = hold.reason ? `: ${prose(hold.reason)}` : '';
  return [
    `${code(stage)} is held${reason}. To let executions enter again:`,
    lines(view, [`release ${view.pipeline}/${stage}`]),
  ];
}

function rollbackSteps(view: ExecutionView, stage: StageView | undefined): readonly string[] {
  const names = stage ? [stage.name] : view.execution.stages.map((run) => run.stage);
  const commands = names.filter((name) => view.rollbackTo[name]).map((name) => `rollback ${view.pipeline}/${name}`);
  return commands.length === 0 ? [] : ['To put back what was there before:', lines(view, commands)];
}

function lines(view: ExecutionView, commands: readonly string[]): string {
  return fenced(commands.map((command) => `${prefixOf(view)}${command}`));
}
