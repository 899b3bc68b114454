import { readFile } from 'node:fs/promises';
import { openArtifactStore } from '../providers/artifact-store.ts';
import type { Answers } from './act-approval.ts';
import type { PullRequest } from './act-failure.ts';
import type { WriteCounter } from './count-writes.ts';
import { executionOf } from './execution-facts.ts';
import { git } from './github/git.ts';
import { lookOf } from './live-checks.ts';
import { evidence, newest, short, type Show } from './show.ts';
import { columns } from './typography.ts';

const bucket = 'acme-pool-site';
const mostWrites = 16;

/** What was deployed, compared with what git holds at the approved commit. */
export async function showDeploy(show: Show, { head }: PullRequest, gitDirectory: string): Promise<void> {
  const { narrator, score, set } = show;
  narrator.act('The deploy');
  const objects = await openArtifactStore(set.home).list(bucket);
  narrator.say(`Bucket ${bucket} of the object store on this machine:`);
  narrator.lines(columns(objects.map(({ location, size }) => [`  ${location.key}`, `${size} bytes`])));
  const tracked = await git(gitDirectory, ['ls-tree', '-r', '--name-only', head, 'site']);
  const wanted = [...tracked.out.toString().trim().split('\n'), 'site/version.json'].toSorted();
  const keys = objects.map(({ location }) => location.key).toSorted();
  score.expect({
    expected: `in ${bucket}: ${wanted.join(', ')}`,
    holds: keys.join() === wanted.join(),
    seen: keys.join(', ') || 'nothing',
    evidence: () => evidence(show, head),
  });
  for (const { location, file } of objects) {
    const deployed = await readFile(file, 'utf8');
    const { key } = location;
    const should = key === 'site/version.json' ? `{"commit":"${head}"}\n` : await contentAt(gitDirectory, head, key);
    score.expect({
      expected: `${key} as it is at ${short(head)}`,
      holds: deployed === should,
      seen: deployed.slice(0, 300),
    });
  }
  narrator.held(`every file is the one of ${short(head)}, and site/version.json names that commit`);
}

async function contentAt(gitDirectory: string, commit: string, path: string): Promise<string> {
  return (await git(gitDirectory, ['show', `${commit}:${path}`])).out.toString();
}

/** The list of checks as a pull request shows it, and the summary of the aggregate. */
export async function showChecks(show: Show, { head }: PullRequest, earlier: readonly string[]): Promise<void> {
  const { narrator, score, set, repository } = show;
  narrator.act(`What GitHub shows on ${short(head)}`);
  const runs = set.github.checks(repository, head).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const rows = runs.map((run) => [
    lookOf(run.conclusion ?? run.status).mark,
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
    short(sha),
    newest(show, sha, 'web')?.conclusion ?? '',
    newest(show, sha, 'web')?.title ?? '',
  ]);
  narrator.lines(columns(before));
  narrator.say('');
  narrator.say('The summary of check run "web":');
  const aggregate = newest(show, head, 'web');
  narrator.markdown(aggregate?.summary ?? '');
  score.expect({
    expected: 'a summary that names every stage and the isolation in force',
    holds: ['Source', 'Test', 'Release', set.penstock.isolation].every((words) => aggregate?.summary?.includes(words)),
    seen: aggregate?.summary ?? 'nothing',
  });
  if (aggregate !== undefined) await openDetails(show, aggregate);
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
      `${reactions} reactions${other > 0 ? ` and ${other} others` : ''}. The refusal took ${refusal} more, ` +
      `ending the superseded execution ${older}.`,
  );
  return green;
}
