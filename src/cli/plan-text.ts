import type { PlanEntry } from '../render/questions.ts';
import { oneLine } from './one-line.ts';
import type { PlannedEvent } from './plan-events.ts';
import type { PlanTree } from './plan-tree.ts';

/** For a terminal: each event with its pipelines, why each starts or not, and who has to approve what. */
export function planText({ into, paths }: PlanTree, events: readonly PlannedEvent[]): string {
  const count = paths.length === 1 ? '1 file differs' : `${paths.length} files differ`;
  return [`${count} from ${oneLine(into)}.`, ...events.map(eventText)].join('\n\n');
}

function eventText({ what, governedBy, problem, entries }: PlannedEvent): string {
  const title = `${oneLine(what)}, by ${oneLine(governedBy)}:`;
  if (problem !== undefined) return [title, ...problem.split('\n').map((line) => `  ${oneLine(line)}`)].join('\n');
  if (entries.length === 0) return `${title}\n  No pipeline is configured.`;
  return [title, ...entries.flatMap(entryLines)].join('\n');
}

function entryLines({ pipeline, starts, why, gates, inPullRequest }: PlanEntry): readonly string[] {
  return [
    `  ${starts ? '▶' : '–'} ${pipeline} ${starts ? 'starts' : 'does not start'}: ${oneLine(why)}`,
    ...(starts ? gates : []).map(({ stage, action, needs }) => `      ${stage}/${action} needs ${oneLine(needs)}`),
    ...(inPullRequest === undefined ? [] : [`      after the merge: ${oneLine(inPullRequest)}`]),
  ];
}
