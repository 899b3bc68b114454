import type { Answers } from './act-approval.ts';
import type { PullRequest } from './act-failure.ts';
import type { WriteCounter } from './count-writes.ts';
import { executionOf } from './execution-facts.ts';
import { lookOf } from './live-checks.ts';
import { evidence, newest, short, type Show } from './show.ts';
import { plainText } from './markdown.ts';
import { columns } from './typography.ts';

const mostWrites = 16;

/** The list of checks as a pull request shows it, and the summary of the aggregate. */
export async function showChecks(show: Show, { head }: PullRequest, earlier: readonly string[]): Promise<void> {
  const { narrator, score, set, repository } = show;
  narrator.act(`What GitHub shows on ${short(head)}`);
  const runs = set.github.checks(repository, head).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const rows = runs.map((run) => [
    markOf(show, run.conclusion ?? run.status),
    run.name,
    run.conclusion ?? run.status,
    run.title ?? '',
  ]);
  narrator.lines(columns([['', 'Check', 'Status', 'Title'], ...rows]));
  const names = runs.map(({ name, conclusion }) => `${name} ${conclusion}`).join(', ');
  const wanted = ['web', 'web / Release', 'web / Source', 'web / Test'].map((name) => `${name} success`).join(', ');
  score.expect({ expected: wanted, holds: names === wanted, seen: names, evidence: () => evidence(show, head) });
  narrator.say('');
  narrator.say('And on the commits before:');
  const before = earlier.map((sha) => [
    markOf(show, newest(show, sha, 'web')?.conclusion ?? ''),
    short(sha),
    newest(show, sha, 'web')?.conclusion ?? '',
    newest(show, sha, 'web')?.title ?? '',
  ]);
  narrator.lines(columns(before));
  narrator.say('');
  narrator.say('The summary of check run "web":');
  const aggregate = newest(show, head, 'web');
  narrator.markdown(aggregate?.summary ?? '');
  const summary = plainText(aggregate?.summary ?? '');
  score.expect({
    expected: 'a summary that names every stage and the isolation in force',
    holds: ['Source', 'Test', 'Release', set.penstock.isolation.slice(0, 40)].every((words) => summary.includes(words)),
    seen: summary,
  });
  if (aggregate !== undefined) await openDetails(show, aggregate);
}

function markOf({ narrator }: Show, state: string): string {
  const { tone, mark } = lookOf(state);
  return narrator.paint(tone, mark);
}

async function openDetails(
  show: Show,
  run: { readonly detailsUrl: string } & Parameters<typeof executionOf>[1],
): Promise<void> {
  const page = await fetch(run.detailsUrl);
  const text = await page.text();
  const { id } = await executionOf(show, run);
  show.score.expect({
    expected: 'the details page to open by its signed link and to show the execution',
    holds: page.status === 200 && text.includes(id),
    seen: `${page.status}: ${text.slice(0, 200)}`,
  });
  show.narrator.held('the link "Details and full logs" opens the page of the execution');
}

/** GitHub limits what an App writes; one green execution with one approval stays within 16. */
export function showWrites(show: Show, head: string, answers: Answers, counter: WriteCounter): number {
  counter.stop();
  const { checks, reactions, refusal, older, other } = counter.count({ sha: head, ...answers });
  const green = checks + reactions + other;
  show.score.expect({
    expected: `at most ${mostWrites} writes to GitHub for the green execution`,
    holds: green <= mostWrites && reactions > 0,
    seen: `${green}: ${checks} of check runs, ${reactions} reactions, ${other} others`,
  });
  show.narrator.held(
    `${green} writes to GitHub for this green execution, at most ${mostWrites}: ${checks} of check runs and ` +
      `${reactions} reactions${other > 0 ? ` and ${other} others` : ''}. The refusal took ${refusal} more, the end of the ` +
      `superseded execution ${older}.`,
  );
  return green;
}
