import type { GateVerdict } from '../commands/gate.ts';
import type { PlanEntry, PlannedGate, StartNote, WhyGate } from './questions.ts';
import { gateLines, howToApprove } from './gate-story.ts';
import { code, link, prose, shortSha, ticked } from './markdown.ts';
import { executionPhase, stagesOf } from './stage-view.ts';
import { headline, verdictOf } from './verdict.ts';
import type { ExecutionView } from './view.ts';
import { durationOf, phaseCell } from './words.ts';

/** The answers to /status, /why and /plan: Markdown, no mention, no line that begins with a slash. */

/** `notes`: why pipelines did or did not start, newest first; of each pipeline only the newest is told. */
export function renderStatus(views: readonly ExecutionView[], notes: readonly StartNote[]): string {
  const ran = views.map(statusLines);
  const silent = newestNotes(notes).filter((note) => !views.some((view) => isAbout(note, view)));
  const others = silent.map(noteLine);
  if (ran.length === 0 && others.length === 0)
    return 'Nothing ran here, and nothing that happened here named a pipeline. Is there a `.github/penstock.yml` on the base branch?';
  return [...ran, ...(others.length > 0 ? [`**Did not start**\n${others.join('\n')}`] : [])].join('\n\n');
}

/** The one comment that is kept in a pull request, for those who asked for it (`statusComment: true`). */
export function renderStatusComment(views: readonly ExecutionView[], notes: readonly StartNote[]): string {
  return `${renderStatus(views, notes)}\n\n<sub>Edited in place. ${code('/penstock why')} says who is missing at a gate.</sub>`;
}

function statusLines(view: ExecutionView): string {
  const phase = executionPhase(view);
  // Its commit can be copied, as code.
  const state = phase.kind === 'superseded' ? headline(view, phase) : prose(verdictOf(view, phase).title);
  const stages = stagesOf(view).map((stage) => {
    const took = stage.run ? durationOf(stage.run) : '';
    return `- ${phaseCell(stage.phase)}: ${code(stage.name)}${took === '' ? '' : `, ${took}`}`;
  });
  const head = `**${prose(view.pipeline)}** at ${code(shortSha(view.headSha))}: ${state} (${link('details', view.detailsUrl)})`;
  return `${head}\n${stages.join('\n')}`;
}

function newestNotes(notes: readonly StartNote[]): readonly StartNote[] {
  return notes.filter((note, index) => notes.findIndex((other) => other.pipeline === note.pipeline) === index);
}

/** An execution of an older commit does not tell why the newer one has none. */
function isAbout(note: StartNote, view: ExecutionView): boolean {
  return note.outcome === 'started' || (note.pipeline === view.pipeline && note.headSha === view.headSha);
}

const outcomes: Readonly<Record<StartNote['outcome'], string>> = {
  started: 'started',
  filtered: 'left out by its filters',
  held: 'waits to be allowed',
  broken: 'its configuration cannot be used',
  passed: 'passed on',
};

function noteLine(note: StartNote): string {
  return `- ${code(note.pipeline)} at ${code(shortSha(note.headSha))}: ${outcomes[note.outcome]}: ${ticked(note.reason, 500)}`;
}

/** Who is missing for each waiting gate, and whose answer did not count and why. */
export function renderWhy(gates: readonly WhyGate[]): string {
  if (gates.length === 0) return 'No gate waits for an answer here.';
  return gates.map(whyLines).join('\n\n');
}

function whyLines({ pipeline, stage, action, verdict, channels, copy }: WhyGate): string {
  const head = `**${prose(`${pipeline}/${stage}/${action}`)}** ${stateWords(verdict)}`;
  return [head, ...gateLines(verdict), `- To approve, ${howToApprove(channels, copy)}`].join('\n');
}

function stateWords({ outcome }: GateVerdict): string {
  switch (outcome) {
    case 'approved':
      return 'has what it needs and is being released';
    case 'rejected':
      return 'was rejected';
    case 'expired':
      return 'has expired';
    case 'waiting':
      return 'waits';
    default:
      return outcome satisfies never;
  }
}

/**
 * Which pipelines the pull request would start, by which filter, with which gates; it starts nothing. `broken`: why the
 * configuration in the pull request cannot be used.
 */
export function renderPlan(entries: readonly PlanEntry[], broken?: string): string {
  if (broken !== undefined)
    return [
      ...entries.map(planLines),
      `❌ The configuration in this pull request cannot be used: ${ticked(broken, 500)}`,
    ].join('\n\n');
  if (entries.length === 0) return 'No pipeline is configured here.';
  const changed = entries.some((entry) => entry.inPullRequest !== undefined);
  const note = changed
    ? [
        'This pull request changes the configuration. What it changes holds after the merge; until then the base branch decides.',
      ]
    : [];
  return [...note, ...entries.map(planLines)].join('\n\n');
}

function planLines(entry: PlanEntry): string {
  const verdict = entry.starts ? '▶️ starts' : '⏭️ does not start';
  const after = entry.inPullRequest === undefined ? [] : [`- After the merge: ${ticked(entry.inPullRequest, 500)}`];
  const gates = entry.gates.map(plannedGateLine);
  return [`**${prose(entry.pipeline)}** ${verdict}: ${ticked(entry.why, 500)}`, ...gates, ...after].join('\n');
}

/** Who may answer a gate, and whether the asker is among them: a line of a list. */
export function plannedGateLine({ stage, action, needs, whyNot }: PlannedGate): string {
  const may = whyNot === undefined ? 'your approval would count' : `your approval would not count: ${ticked(whyNot)}`;
  return `- ✋ ${code(`${stage}/${action}`)} needs ${ticked(needs, 500)}; ${may}`;
}
