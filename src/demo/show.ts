import type { CheckRunView } from './github/control/checks.ts';
import { Deviation, until, type Evidence, type Score } from './checks.ts';
import type { Change } from './change.ts';
import type { Narrator } from './narrator.ts';
import { lastWords } from './penstock-process.ts';
import type { StageSet } from './stage-set.ts';

/** What every act of the story works with. */
export interface Show {
  readonly set: StageSet;
  readonly narrator: Narrator;
  readonly score: Score;
  readonly change: Change;
  /** owner/name */
  readonly repository: string;
  readonly repositoryId: number;
  /** Aborted by Ctrl-C, or when the server ends by itself. */
  readonly signal: AbortSignal;
}

export const author = 'dev';
export const reviewer = 'reviewer';
export const pipeline = 'web';

const patienceMs = 45_000;

export interface WantedCheck {
  readonly sha: string;
  readonly name: string;
  /** `success`, `failure`, `action_required`, `cancelled`. */
  readonly conclusion: string;
  readonly title: RegExp;
}

/** Waits until the newest run of that name is completed, and checks that it ended as wanted. */
export async function checkConcludes(show: Show, wanted: WantedCheck): Promise<CheckRunView> {
  const { sha, name, conclusion, title } = wanted;
  const expected = `check run "${name}" on ${short(sha)} to conclude as ${conclusion}`;
  const fits = (run: CheckRunView) => run.conclusion === conclusion && title.test(run.title ?? '');
  const run = await until(
    {
      expected,
      withinMs: patienceMs,
      look: () => {
        const found = newest(show, sha, name);
        if (found !== undefined && fits(found)) return found;
        const wrong = final(show, sha, conclusion);
        if (wrong === undefined) return undefined;
        throw new Deviation(expected, describe(wrong), evidence(show, sha));
      },
      seen: () => describe(newest(show, sha, name)),
      evidence: () => evidence(show, sha),
    },
    show.signal,
  );
  show.score.expect({ expected, holds: fits(run), seen: describe(run) });
  return run;
}

/** A check that can only stay as it is, although another end is waited for: no need to wait until the time is over. */
function final(show: Show, sha: string, wanted: string): CheckRunView | undefined {
  const run = newest(show, sha, pipeline);
  if (run === undefined || run.status !== 'completed' || run.conclusion === wanted) return undefined;
  const ends = ['failure', 'timed_out', 'skipped', 'neutral', ...(wanted === 'success' ? [] : ['success'])];
  // A gate is open for an answer; where a failure was wanted, it says that nothing failed.
  if (wanted === 'failure') ends.push('action_required');
  return ends.includes(run.conclusion ?? '') ? run : undefined;
}

export function newest(show: Show, sha: string, name: string): CheckRunView | undefined {
  return show.set.github.checks(show.repository, sha).find((run) => run.name === name);
}

function describe(run: CheckRunView | undefined): string {
  if (run === undefined) return 'no such check run';
  return `check run "${run.name}": ${run.status}${run.conclusion === null ? '' : `, ${run.conclusion}`}: ${run.title}`;
}

/** The log lines that failed check runs of the commit hold; without any, what the server printed last. */
export function evidence(show: Show, sha: string): readonly Evidence[] {
  const failed = show.set.github.checks(show.repository, sha).filter((run) => isBad(run.conclusion));
  const withLog = failed.filter((run) => run.text !== null && run.name !== pipeline);
  const shown = (withLog.length > 0 ? withLog : failed).map((run) => ({
    heading: `Check run "${run.name}" says "${run.title}":`,
    lines: logLines(run.text ?? run.summary ?? ''),
  }));
  return shown.length > 0 ? shown : [lastWords(show.set.penstock.lastLines())];
}

/** Without the heading and the fences around the log. */
export function logLines(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => !/^(`{3,}|#### )/.test(line));
  return lines.slice(lines.findIndex((line) => line.trim() !== ''));
}

function isBad(conclusion: string | null): boolean {
  return conclusion === 'failure' || conclusion === 'timed_out';
}

export function short(sha: string): string {
  return sha.slice(0, 7);
}
