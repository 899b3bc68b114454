import { phasesText, type BuildPhase } from '../pipeline/build-phase.ts';
import type { ActionRun } from '../pipeline/execution.ts';
import { consoleLink } from './console-link.ts';
import { code, fenced, maxMarkdown, ticked, visible } from './markdown.ts';
import type { StageView } from './stage-view.ts';
import type { ExecutionView, LogTail } from './view.ts';
import { own } from './view.ts';
import { count, duration } from './words.ts';

/**
 * The ends of the logs of failed actions, the newest failure first, each in a fence that nothing in it can close.
 * What does not fit is cut from the top of a log, because its end says what went wrong (peers-and-ux 3.3).
 */
export function logText(view: ExecutionView, stages: readonly StageView[]): string | undefined {
  const failed = stages
    .flatMap((stage) => stage.run?.actions ?? [])
    .filter((run) => run.status === 'Failed' || run.status === 'Abandoned')
    .toSorted((a, b) => compare(b.endedAt ?? '', a.endedAt ?? ''));
  let text = '';
  for (const run of failed) {
    const tail = own(view.logTails, run.id);
    if (!tail) continue;
    const gap = text === '' ? '' : '\n\n';
    const phases = phasesLine(own(view.phases, run.id) ?? []);
    const section = logSection(run, { ...tail, phases }, maxMarkdown - text.length - gap.length);
    if (section === undefined) break;
    text += `${gap}${section}`;
  }
  return text === '' ? undefined : text;
}

/** Fifty such lines fit into a check run, so that none hides those before it. */
const maxLine = 1000;
/** Heading, note of what was cut, and fences. */
const roomForRest = 1_000;
const minimumRoom = 2000;

function logSection(run: ActionRun, tail: LogTail & { readonly phases: string }, room: number): string | undefined {
  if (room < minimumRoom) return undefined;
  const all = tail.lines.flatMap((line) => visible(line).split('\n')).map(cutLine);
  const kept = lastLines(all, room - roomForRest);
  const cut = tail.cut + all.length - kept.length;
  const heading = `#### Log of ${code(run.action.slice(0, 100))}`;
  const where = consoleLink('in AWS', tail.url) ?? 'on the details page';
  const note =
    cut === 0 ? '' : `${count(cut, 'line')} before ${cut === 1 ? 'it is' : 'these are'} cut; the full log is ${where}.`;
  const parts = [heading, tail.phases, ticked(tail.note ?? '', 600), note, kept.length > 0 ? fenced(kept) : ''];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** Where the time went, and in which phase it failed. */
function phasesLine(phases: readonly BuildPhase[]): string {
  const text = phasesText(phases, 1_000, duration);
  return text === '' ? '' : `Phases: ${code(text.slice(0, 300))}`;
}

function lastLines(lines: readonly string[], room: number): readonly string[] {
  // The fence may have to be as long as the longest run of back-ticks, twice.
  let used = 0;
  let longestTicks = 0;
  let from = lines.length;
  for (; from > 0; from -= 1) {
    const line = lines[from - 1] ?? '';
    const ticks = Math.max(0, ...Array.from(line.matchAll(/`+/g), (found) => found[0].length));
    longestTicks = Math.max(longestTicks, ticks);
    used += line.length + 1;
    if (used + 2 * longestTicks > room) break;
  }
  return lines.slice(from);
}

function cutLine(line: string): string {
  return line.length <= maxLine ? line : `${line.slice(0, maxLine).replace(/[\uD800-\uDBFF]$/u, '')}… (cut)`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
