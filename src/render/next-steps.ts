import type { Channel } from '../commands/gate-policy.ts';
import { conditionStatus } from '../pipeline/status.ts';
import { code, fenced, prose, shortSha } from './markdown.ts';
import type { Phase, StageView, WaitingGate } from './stage-view.ts';
import { endedStage, failedActions, takes } from './stage-view.ts';
import type { ExecutionView } from './view.ts';
import { own } from './view.ts';
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
function answerLine(view: ExecutionView, gate: WaitingGate, verb: 'approve' | 'reject'): string {
  const story = own(view.gates, `${gate.stage}/${gate.action}`);
  const sha = story?.shaNeeded ? ` ${view.headSha}` : '';
  const reason = story?.reasonNeeded ? ' reason' : '';
  return `${verb} ${view.pipeline}/${gate.stage}/${gate.action}${sha}${reason}`;
}

function gateSteps(view: ExecutionView, gates: readonly WaitingGate[]): readonly string[] {
  const by = (channel: Channel) => gates.filter((gate) => takes(view, gate, channel));
  const inReview = by('review').filter((gate) => !takes(view, gate, 'comment'));
  const press = gates.length === 1 && by('button').length === 1 ? 'Press **Approve** or **Reject** on this page' : '';
  return [
    ...copy(view, press, answerLines(view, by('comment'))),
    ...(inReview.length === 0 ? [] : ['Write in a review one of these:', lines(view, answerLines(view, inReview))]),
    ...gates.flatMap((gate) => reviewHints(view, gate, gates.length > 1)),
  ];
}

function answerLines(view: ExecutionView, gates: readonly WaitingGate[]): readonly string[] {
  return gates.flatMap((gate) => [answerLine(view, gate, 'approve'), answerLine(view, gate, 'reject')]);
}

/** Buttons, then lines to copy; without a pull request there is no place for a comment (design section 4). */
function copy(view: ExecutionView, press: string, commands: readonly string[]): readonly string[] {
  if (view.pullRequest === undefined)
    return [
      `${press || 'Use the buttons on the checks of the stages'}. No pull request belongs to this commit, so there is no place for comments.`,
    ];
  if (commands.length === 0) return press === '' ? [] : [`${press}.`];
  const how = press === '' ? 'Comment on the pull request' : `${press}, or comment on the pull request`;
  return [commands.length === 1 ? `${how}:` : `${how} one of these:`, lines(view, commands)];
}

/** What the pipeline's author wrote for reviewers, and until when they may answer. */
function reviewHints(
  view: ExecutionView,
  { stage, action, declared, run }: WaitingGate,
  isOneOfSeveral: boolean,
): readonly string[] {
  const until = own(view.gates, `${stage}/${action}`)?.expiresAt ?? run.deadline;
  const custom = declared?.configuration['CustomData'];
  const url = declared?.configuration['ExternalEntityLink'];
  return [
    ...(custom === undefined ? [] : [`For the reviewer of ${code(action)}: ${prose(custom, 1000)}`]),
    ...(url === undefined ? [] : [`To review: ${code(url)}`]),
    ...(until === undefined
      ? []
      : [
          `${isOneOfSeveral ? `${code(action)} waits` : 'Waits'} since ${moment(run.startedAt)}, until ${moment(until)}.`,
        ]),
  ];
}

function failedSteps(view: ExecutionView, failed: StageView | undefined): readonly string[] {
  if (!failed) return ['Mend what it says and push, or start it again.', ...copy(view, '', [`run ${view.pipeline}`])];
  const path = `${view.pipeline}/${failed.name}`;
  const unmet = unmetCondition(failed);
  const asked = failed.declared.actions.filter(({ actionTypeId }) => actionTypeId.category === 'Approval');
  const isGate = failedActions(failed.run).every((run) => asked.some(({ name }) => name === run.action));
  return [
    isGate && unmet === undefined
      ? 'Push a fix, or ask for the approval once more on the same commit.'
      : 'Push a fix, or run it again on the same commit: only what failed, or the whole stage.',
    ...copy(view, 'Press **Retry failed** or **Retry stage** on this page', [
      `retry ${path}`,
      `retry ${path} all`,
      ...(unmet === undefined ? [] : [`override ${path} ${unmet} reason`]),
      ...(own(view.rollbackTo, failed.name) ? [`rollback ${path}`] : []),
    ]),
  ];
}

/** The name, as `/override` takes it, of the condition that the stage failed by. */
function unmetCondition(stage: StageView): 'entry' | 'success' | undefined {
  const { beforeEntry, onSuccess } = stage.run?.conditions ?? {};
  const isUnmet = (condition: typeof beforeEntry) =>
    condition !== undefined && ['Failed', 'Errored'].includes(conditionStatus(condition));
  if (isUnmet(onSuccess)) return 'success';
  return isUnmet(beforeEntry) ? 'entry' : undefined;
}

function stoppedSteps(view: ExecutionView, stopped: StageView | undefined): readonly string[] {
  if (view.execution.ending !== undefined) return [];
  return stopped?.run
    ? copy(view, 'To let it run again, press **Retry stage** on this page', [
        `retry ${view.pipeline}/${stopped.name} all`,
      ])
    : copy(view, '', [`rerun ${view.pipeline}`]);
}

function entranceSteps(view: ExecutionView, stage: string): readonly string[] {
  const hold = own(view.holds, stage);
  if (!hold) return occupiedSteps(view, stage);
  const reason = hold.reason ? `: ${prose(hold.reason)}` : '';
  return [
    `${code(stage)} is held${reason}. To let executions enter again:`,
    lines(view, [`release ${view.pipeline}/${stage}`]),
  ];
}

/** An approval that nobody gives would hold it there for days. */
function occupiedSteps(view: ExecutionView, stage: string): readonly string[] {
  const { behind } = view.queue?.stage === stage ? view.queue : {};
  if (!behind) return [];
  const commit = behind.headSha === view.headSha ? 'this commit' : code(shortSha(behind.headSha));
  const where =
    view.pullRequest === undefined ? 'the checks of that commit say' : `${code(`${prefixOf(view)}why`)} says`;
  return [
    `${code(stage)} is taken by another execution of ${commit}. This one goes on when that one leaves it; ${where} what it waits for.`,
  ];
}

function rollbackSteps(view: ExecutionView, stage: StageView | undefined): readonly string[] {
  const names = stage ? [stage.name] : view.execution.stages.map((run) => run.stage);
  const commands = names
    .filter((name) => own(view.rollbackTo, name))
    .map((name) => `rollback ${view.pipeline}/${name}`);
  const press = stage ? 'To put back what was there before, press **Roll back** on this page' : '';
  return commands.length === 0 ? [] : copy(view, press, commands);
}

function lines(view: ExecutionView, commands: readonly string[]): string {
  return fenced(commands.map((command) => `${prefixOf(view)}${command}`));
}
