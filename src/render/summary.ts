import { actorName } from '../pipeline/actor-name.ts';
import type { ActionRun } from '../pipeline/execution.ts';
import { consoleLink } from './console-link.ts';
import { explainEnding, explainFailure, isExpired } from './explain.ts';
import { gateLines } from './gate-story.ts';
import { code, link, maxMarkdown, prose, shortSha, table, ticked } from './markdown.ts';
import { nextSteps } from './next-steps.ts';
import type { Phase, StageView } from './stage-view.ts';
import { endedStage, failedActions, stagesOf } from './stage-view.ts';
import { laterAttempt, testLines } from './tests.ts';
import { headline } from './verdict.ts';
import type { EarlierAttempt, ExecutionView } from './view.ts';
import { actionState, actorWords, count, duration, durationOf, phaseCell } from './words.ts';

/** The summary of a check run: the verdict first, then where it stands, what to do, and what came before. */
export function summaryOf(view: ExecutionView, phase: Phase, stage?: StageView): string {
  const sections = [
    verdictLine(view, phase, stage),
    ...reasons(view, phase, stage),
    stage ? actionTable(stage) : stageTable(view),
    ...titled('Tests', joined(testLines(view, stage))),
    ...titled('What next', nextSteps(view, phase, stage)),
    ...gateSections(view, stage),
    ...ruleNote(view, stage),
    ...titled('Earlier attempts', attempts(view, stage)),
    footer(view, stage),
  ];
  return joinWithin(sections, maxMarkdown);
}

function verdictLine(view: ExecutionView, phase: Phase, stage: StageView | undefined): string {
  const what = `**${headline(view, phase, stage)}**`;
  const { startedBy, cause } = view;
  const isNamed = startedBy.kind === 'penstock' || cause.endsWith(` by ${actorName(startedBy)}`);
  const from = isNamed ? '' : `, by ${actorWords(startedBy)}`;
  return `${what} at ${code(shortSha(view.headSha))}. Started: ${prose(cause)}${from}. ${link('Details and full logs', view.detailsUrl)}.`;
}

/** One line for each failed action: what it is called in plain words, what was said, and the mend. */
function reasons(view: ExecutionView, phase: Phase, stage: StageView | undefined): readonly string[] {
  const { ending, notice } = view.execution;
  if (ending?.as === 'Failed') return [ticked(ending.summary, 1000), ...mendOf(ending.summary)];
  if (notice !== undefined && !ending) return [`⚠️ How it stands now is not known: ${ticked(notice, 1000)}`];
  if (phase.kind !== 'failed' && phase.kind !== 'failing') return [];
  const failed = stage ?? endedStage(view) ?? stagesOf(view).findLast((one) => one.phase.kind === 'failing');
  const runs = failedActions(failed?.run);
  return [...runs.map((run) => failureLine(run, failed)), ...ruleLines(failed)];
}

function mendOf(summary: string): readonly string[] {
  const known = explainEnding(summary);
  return known === undefined ? [] : [prose(`${known.cause} ${known.mend}`, 500)];
}

/** CodePipeline is told who answered; here the line says it already. */
const namesInFront = /^@[\w-]+(?:, @[\w-]+)*(?:: |$)/;

function failureLine(run: ActionRun, stage: StageView | undefined): string {
  const declared = stage?.declared.actions.find((action) => action.name === run.action);
  const { cause, mend } = explainFailure(run, declared);
  const told = run.answeredBy ? (run.summary ?? '') : (run.error?.message ?? '');
  const message = isExpired(run) ? '' : run.answeredBy ? told.replace(namesInFront, '') : told;
  const { story } = run;
  const parts = [
    `${code(run.action)}: ${prose(cause)}`,
    message === '' ? '' : `${run.answeredBy ? 'They' : 'It'} said: ${code(message.slice(0, 600))}.`,
    story?.said ? `${prose(story.service)} said: ${code(story.said)}.` : '',
    story?.unasked ? ticked(story.unasked, 600) : '',
    prose(mend),
    consoleLink('Open in AWS', run.externalExecutionUrl) ?? '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function ruleLines(stage: StageView | undefined): readonly string[] {
  const conditions = Object.values(stage?.run?.conditions ?? {});
  return conditions
    .flatMap((condition) => condition.rules)
    .filter((rule) => rule.status === 'Failed')
    .map((rule) => `Rule ${code(rule.rule)} was not met${rule.error ? `: ${prose(rule.error.message, 600)}` : ''}.`);
}

function stageTable(view: ExecutionView): string {
  const rows = stagesOf(view).map((stage) => [
    code(stage.name),
    phaseCell(stage.phase),
    stage.run ? durationOf(stage.run) : '',
    stage.run ? stage.run.actions.map(actionMark).join(' ') : '',
  ]);
  return table(['Stage', 'Status', 'Duration', 'Actions'], rows);
}

function actionMark(run: ActionRun): string {
  const [icon = ''] = actionState(run).split(' ');
  const later = laterAttempt(run);
  return `${icon} ${code(run.action)}${later === undefined ? '' : ` (${prose(later)})`}`;
}

function actionTable(stage: StageView): string {
  const rows = stage.declared.actions.map((declared) => {
    const run = stage.run?.actions.find((one) => one.action === declared.name);
    if (!run) return [code(declared.name), '▫️ Not started', '', ''];
    const attempt = run.attempt === 1 ? '' : (laterAttempt(run) ?? `attempt ${run.attempt}`);
    const note = run.answeredBy && !isExpired(run) ? `by ${actorWords(run.answeredBy)}` : '';
    const told = run.answeredBy ? (run.summary ?? '').replace(namesInFront, '') : (run.summary ?? '');
    const said = run.status === 'Succeeded' && told !== '' ? prose(told, 200) : '';
    return [code(run.action), actionState(run), durationOf(run), [attempt, note, said].filter(Boolean).join(', ')];
  });
  return table(['Action', 'Status', 'Duration', 'Notes'], rows);
}

/** A gate that is answered keeps its story for as long as the view holds it. */
function gateSections(view: ExecutionView, stage: StageView | undefined): readonly string[] {
  const gates = Object.entries(view.gates).filter(([key]) => stage === undefined || key.startsWith(`${stage.name}/`));
  return gates.flatMap(([key, { verdict }]) => titled(`Gate ${code(key)}`, [gateLines(verdict).join('\n')]));
}

/** Where somebody looks before they approve (SEC-C-07). */
function ruleNote({ ruleChanges = [], gates }: ExecutionView, stage: StageView | undefined): readonly string[] {
  const isRead = stage === undefined || Object.keys(gates).some((key) => key.startsWith(`${stage.name}/`));
  if (ruleChanges.length === 0 || !isRead) return [];
  const files = ruleChanges.map((path) => code(path)).join(' and ');
  return [
    `⚠️ This pull request changes ${files}. That holds after the merge; here the base branch says what runs and who decides.`,
  ];
}

const shownAttempts = 20;

function attempts(view: ExecutionView, stage: StageView | undefined): readonly string[] {
  const earlier = view.earlierAttempts.filter((attempt) => stage === undefined || attempt.stage === stage.name);
  if (earlier.length === 0) return [];
  const rows = earlier.toReversed().slice(0, shownAttempts).map(attemptRow);
  const more =
    earlier.length > shownAttempts ? [`… and ${count(earlier.length - shownAttempts, 'attempt')} before.`] : [];
  return [table(['Action', 'Attempt', 'Result', 'Duration', 'Said'], rows), ...more];
}

function attemptRow(attempt: EarlierAttempt): readonly string[] {
  const took = attempt.endedAt === undefined ? '' : Date.parse(attempt.endedAt) - Date.parse(attempt.startedAt);
  return [
    code(`${attempt.stage}/${attempt.action}`),
    String(attempt.attempt),
    attempt.status,
    took === '' ? '' : duration(took),
    attempt.error ? prose(attempt.error.message, 200) : '',
  ];
}

function footer(view: ExecutionView, stage: StageView | undefined): string {
  const notes = [
    `Execution ${code(view.execution.id)}`,
    ...(stage?.run && stage.run.attempt > 1 ? [`attempt ${stage.run.attempt} of the stage`] : []),
    ...(view.fork ? ['from a fork: without secrets and without network'] : []),
    ...(view.isolation === undefined ? [] : [`isolation: ${prose(view.isolation, 1000)}`]),
  ];
  return `<sub>${notes.join(' · ')}</sub>`;
}

/** A list is one section, so that it is cut as a whole. */
function joined(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function titled(heading: string, paragraphs: readonly string[]): readonly string[] {
  return paragraphs.length === 0 ? [] : [`#### ${heading}`, ...paragraphs];
}

/** Whole sections only, so that no table, list or fence is cut in the middle. */
function joinWithin(sections: readonly string[], limit: number): string {
  const note = '\n\n… more on the details page.';
  let text = '';
  for (const section of sections) {
    const next = text === '' ? section : `${text}\n\n${section}`;
    if (next.length > limit - note.length) return `${text}${note}`;
    text = next;
  }
  return text;
}
