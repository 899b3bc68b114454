import { actorName } from '../pipeline/actor-name.ts';
import type { ActionRun } from '../pipeline/execution.ts';
import { gateButtons, retryButtons, rollbackButtons, stoppedButtons } from './buttons.ts';
import { isExpired, isTimeout } from './explain.ts';
import { code, prose, shortSha } from './markdown.ts';
import type { Phase, StageView, WaitingGate } from './stage-view.ts';
import { endedStage, failedActions, takes } from './stage-view.ts';
import { failedTestsText, succeededWithTests } from './tests.ts';
import { fittingTitle, title } from './titles.ts';
import type { ButtonView, CheckRunView, ExecutionView, GateStory } from './view.ts';
import { own } from './view.ts';
import { duration, durationOf, prefixOf } from './words.ts';

/** Status, conclusion, title and buttons of one check run: what the merge box shows. */
export type Verdict = Pick<CheckRunView, 'status' | 'conclusion' | 'title' | 'buttons'>;

/** `stage` absent: the aggregate. */
export function verdictOf(view: ExecutionView, phase: Phase, stage?: StageView): Verdict {
  switch (phase.kind) {
    case 'not-reached':
    case 'queued':
      return open('queued', 'Queued');
    case 'entrance':
      return open('queued', entranceTitle(view, phase.stage));
    case 'running':
      return open('in_progress', runningTitle(view, stage, 'Running'));
    case 'failing':
      return open('in_progress', runningTitle(view, stage, 'Failing, still running'));
    case 'stopping':
      return open('in_progress', runningTitle(view, stage, 'Stopping', ' after '));
    case 'gate':
      return done('action_required', gateTitle(view, phase.gates), gateButtons(view, phase.gates));
    case 'succeeded':
      return done('success', succeededTitle(view, stage), rollbackButtons(view, stage));
    case 'failed':
      return failedVerdict(view, stage);
    case 'stopped':
      return done('cancelled', stoppedTitle(view), stoppedButtons(view, stage));
    case 'skipped':
      return done('skipped', 'Skipped: its entry condition was not met', []);
    case 'superseded':
      return done('cancelled', supersededTitle(phase.bySha), []);
    case 'cancelled':
      return done('cancelled', title('Cancelled: ', phase.why || 'the pipeline was changed'), []);
    default:
      return phase satisfies never;
  }
}

function supersededTitle(sha: string | undefined): string {
  return `Superseded by ${sha === undefined ? 'a newer execution' : shortSha(sha)}`;
}

function open(status: 'queued' | 'in_progress', text: string): Verdict {
  return { status, title: text, buttons: [] };
}

function done(conclusion: NonNullable<Verdict['conclusion']>, text: string, buttons: readonly ButtonView[]): Verdict {
  return { status: 'completed', conclusion, title: text, buttons };
}

function entranceTitle(view: ExecutionView, stage: string): string {
  const hold = own(view.holds, stage);
  if (hold) return title(`Waiting to enter ${stage}: held by `, actorName(hold.by));
  const { lock } = view.execution;
  const place = lock?.stage === stage ? lock.place : undefined;
  return title(
    `Waiting to enter ${stage}`,
    place === undefined ? behind(view, stage) : `: place ${place} in the queue${behind(view, stage)}`,
  );
}

function behind({ queue }: ExecutionView, stage: string): string {
  const holder = queue?.stage === stage ? queue.behind : undefined;
  if (!holder) return '';
  return ` behind ${holder.pullRequest === undefined ? shortSha(holder.headSha) : `#${holder.pullRequest}`}`;
}

function runningTitle(view: ExecutionView, stage: StageView | undefined, lead: string, before = ': '): string {
  const run = stage?.run ?? view.execution.stages.at(-1);
  const where = stage ? '' : ` ${run?.stage ?? ''}`;
  const names = (run?.actions ?? []).filter((action) => action.status === 'InProgress').map(({ action }) => action);
  const attempt = run && run.attempt > 1 ? ` (attempt ${run.attempt})` : '';
  return title(`${lead}${where}${attempt}`, names.length === 0 ? '' : `${before}${names.join(', ')}`);
}

function gateTitle(view: ExecutionView, gates: readonly WaitingGate[]): string {
  const [gate] = gates;
  if (!gate || gates.length > 1) return title(`${gates.length} approvals are awaited: see what to comment`);
  const story = own(view.gates, `${gate.stage}/${gate.action}`);
  if (view.pullRequest === undefined) return title(`${awaited(story)}: press Approve on this check`);
  if (!takes(view, gate, 'comment'))
    return fittingTitle(`${awaited(story)} of ${gate.stage}: see how inside`, `${awaited(story)}: see inside`);
  if (story?.shaNeeded || story?.reasonNeeded)
    return fittingTitle(
      `${awaited(story)} of ${gate.stage}: see what to comment`,
      `${awaited(story)}: see what to comment`,
    );
  const line = `${prefixOf(view)}approve ${gate.stage}`;
  return fittingTitle(
    `${awaited(story)}: comment ${line}`,
    `${awaited(story)}: ${line}`,
    `${awaited(story)}: see inside`,
  );
}

function awaited(story: GateStory | undefined): string {
  const verdict = story?.verdict;
  return verdict && verdict.needed > 1 ? `${verdict.had} of ${verdict.needed} approvals` : 'Waiting for approval';
}

function succeededTitle(view: ExecutionView, stage: StageView | undefined): string {
  const run = stage?.run;
  const took = run ? durationOf(run) : executionDuration(view);
  const verb = view.execution.type === 'ROLLBACK' ? 'Rolled back' : 'Succeeded';
  const attempts = run && run.attempt > 1 ? ` on attempt ${run.attempt}` : '';
  return succeededWithTests(title(`${verb}${attempts}${took === '' ? '' : ` in ${took}`}`), view, stage);
}

function executionDuration({ execution }: ExecutionView): string {
  const end = execution.stages.at(-1)?.endedAt;
  return end === undefined ? '' : duration(Date.parse(end) - Date.parse(execution.startedAt));
}

function failedVerdict(view: ExecutionView, stage: StageView | undefined): Verdict {
  const failed = stage ?? endedStage(view);
  const runs = failedActions(failed?.run);
  const conclusion =
    runs.length > 0 && runs.every((run) => isExpired(run) || isTimeout(run.error)) ? 'timed_out' : 'failure';
  const buttons = failed ? [...retryButtons, ...rollbackButtons(view, failed)] : [];
  return done(conclusion, failedTitle(view, failed, stage === undefined), buttons.slice(0, 3));
}

function failedTitle(view: ExecutionView, failed: StageView | undefined, isAggregate: boolean): string {
  const { ending } = view.execution;
  if (!failed) return title('Failed: ', ending?.as === 'Failed' ? ending.summary : 'see inside');
  const where = isAggregate ? ` in ${failed.name}` : '';
  const next = view.pullRequest === undefined ? ': press Retry failed' : `: ${prefixOf(view)}retry`;
  if (expiredGate(failed))
    return fittingTitle(
      `Nobody approved${isAggregate ? ` ${failed.name}` : ''} in time${next}`,
      `Nobody approved in time`,
    );
  const rejected = failedActions(failed.run).find((run) => run.answeredBy);
  if (rejected?.answeredBy) return title(`Rejected by ${actorName(rejected.answeredBy)}${where}`);
  const took = failed.run ? durationOf(failed.run) : '';
  const time = took === '' ? '' : isAggregate ? ` (${took})` : ` after ${took}`;
  const tests = failedTestsText(view, failedActions(failed.run));
  return fittingTitle(
    ...(tests === undefined ? [] : [`${tests}${where}${time}${next}`, `${tests}${where}${next}`, `${tests}${next}`]),
    `Failed${where}${time}${next}`,
    `Failed${where}${next}`,
    `Failed${where}`,
  );
}

/** By `expireAfter` of its policy, or by CodePipeline's own time-out. */
function expiredGate({ run: ran, declared }: StageView): ActionRun | undefined {
  const asked = declared.actions.filter(({ actionTypeId }) => actionTypeId.category === 'Approval');
  const isGate = (run: ActionRun) => asked.some(({ name }) => name === run.action);
  return failedActions(ran).find((run) => isExpired(run) || (isTimeout(run.error) && isGate(run)));
}

function stoppedTitle({ execution }: ExecutionView): string {
  const { ending, stop } = execution;
  if (ending?.as === 'Stopped') return title('Stopped: ', (ending.why ?? 'see inside').replace(/\.$/, ''));
  return stop ? title(`Stopped by ${actorName(stop.by)}`, stop.reason ? `: ${stop.reason}` : '') : 'Stopped';
}

/** The first words of a summary, where there is more room than in the title. Markdown. */
export function headline(view: ExecutionView, phase: Phase, stage?: StageView): string {
  switch (phase.kind) {
    case 'failed':
    case 'failing':
      return failedHeadline(view, stage ?? endedStage(view));
    case 'gate': {
      const [gate] = phase.gates;
      return gate && phase.gates.length === 1
        ? `Waiting for approval of ${code(`${gate.stage}/${gate.action}`)}`
        : `Waiting for ${phase.gates.length} approvals`;
    }
    case 'superseded':
      return phase.bySha === undefined ? supersededTitle(undefined) : `Superseded by ${code(shortSha(phase.bySha))}`;
    default:
      return prose(verdictOf(view, phase, stage).title);
  }
}

function failedHeadline(view: ExecutionView, failed: StageView | undefined): string {
  const runs = failedActions(failed?.run);
  const expired = failed && expiredGate(failed);
  if (failed && expired) return `Nobody approved ${code(`${failed.name}/${expired.action}`)} in time`;
  const rejected = runs.find((run) => run.answeredBy);
  if (rejected?.answeredBy) return `Rejected by ${code(actorName(rejected.answeredBy))}`;
  if (!failed) return view.execution.ending?.as === 'Failed' ? 'Failed before anything ran' : 'Failed';
  const names = runs.map(({ action }) => code(action)).join(', ');
  return `Failed in ${code(failed.name)}${names === '' ? '' : `: ${names}`}`;
}
