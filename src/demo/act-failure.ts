import { Deviation } from './checks.ts';
import { actionOf, executionOf, logOf, spanOf } from './execution-facts.ts';
import type { CheckRunView } from './github/control/checks.ts';
import { author, checkConcludes, evidence, logLines, newest, short, type Show } from './show.ts';
import { timeline } from './typography.ts';

export interface PullRequest {
  readonly number: number;
  readonly branch: string;
  readonly head: string;
}

/** A pull request is opened whose first commit breaks a test of the example. */
export async function openBroken(show: Show): Promise<PullRequest> {
  const { set, narrator, change, repository } = show;
  const branch = 'sunday-hours';
  narrator.act('A pull request breaks a test');
  const head = await set.github.commit(repository, { branch, author, ...change.breaking });
  const title = change.breaking.message;
  const number = await set.github.openPullRequest(repository, { head: branch, author, title });
  narrator.say(`${author} pushes ${short(head)} "${title}" and opens pull request #${number}.`);
  const run = await checkConcludes(show, { sha: head, name: 'web / Test', conclusion: 'failure', title: /^Failed/ });
  await checkConcludes(show, { sha: head, name: 'web', conclusion: 'failure', title: /^Failed in Test/ });
  narrator.say('');
  narrator.say(`The end of the log, as check run "${run.name}" shows it:`);
  narrator.quote(excerpt(show, run));
  await expectOnlyUnitFailed(show, run);
  narrator.held('the log says what is wrong; unit alone failed');
  await showOverlap(show, head);
  return { number, branch, head };
}

/** The test that failed, its complaint, and how the command ended. */
function excerpt(show: Show, run: CheckRunView): readonly string[] {
  const { complaint } = show.change;
  const lines = logLines(run.text ?? '');
  const at = lines.findIndex((line) => line.includes(complaint));
  show.score.expect({
    expected: `the log of check run "${run.name}" to say: ${complaint}`,
    holds: at >= 0,
    seen: 'a log that complains of something else. Was a file of the example changed?',
    evidence: () => evidence(show, run.headSha),
  });
  const test = lines.findLast((line, index) => index <= at && /^\s*(not ok|✖) /.test(line));
  const last = lines.findLast((line) => line.trim() !== '');
  return [test, '…', lines[at], '…', last].flatMap((line) => line ?? []);
}

async function expectOnlyUnitFailed(show: Show, run: CheckRunView): Promise<void> {
  const execution = await executionOf(show, run);
  const ended = ['unit', 'lint'].map((name) => `${name} ${actionOf(execution, 'Test', name).status}`).join(', ');
  show.score.expect({
    expected: 'unit Failed, lint Succeeded',
    holds: ended === 'unit Failed, lint Succeeded',
    seen: ended,
    evidence: () => evidence(show, run.headSha),
  });
}

/** From what the actions' own logs and the stored execution say, not from what was asked for. */
async function showOverlap(show: Show, sha: string): Promise<void> {
  const run = newest(show, sha, 'web / Test');
  if (run === undefined) throw new Deviation('check run "web / Test"', 'none');
  const execution = await executionOf(show, run);
  const spans = await Promise.all(
    ['unit', 'lint'].map(async (label) => {
      const action = actionOf(execution, 'Test', label);
      return { label, ...spanOf(action, await logOf(run, action)) };
    }),
  );
  show.narrator.say('');
  show.narrator.say('unit and lint are two actions of one stage. When their commands ran (UTC):');
  const lines = timeline(spans, 77);
  show.narrator.lines(lines.map((line) => show.narrator.paint('busy', line)));
  const begins = Math.max(...spans.map(({ from }) => from.getTime()));
  const ends = Math.min(...spans.map(({ to }) => to.getTime()));
  show.score.expect({ expected: 'unit and lint to overlap', holds: begins < ends, seen: lines.join(' | ') });
  show.narrator.held(`they ran side by side for ${((ends - begins) / 1000).toFixed(1)} s`);
}
