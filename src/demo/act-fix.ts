import type { PullRequest } from './act-failure.ts';
import { countWrites, type WriteCounter } from './count-writes.ts';
import { author, checkConcludes, short, type Show } from './show.ts';

/** The fix passes the tests and stops at the gate. */
export async function pushFix(show: Show, pull: PullRequest): Promise<PullRequest> {
  const { set, narrator, change, repository } = show;
  narrator.act('A fix');
  const head = await set.github.commit(repository, { branch: pull.branch, author, ...change.fix });
  narrator.say(`${author} pushes ${short(head)} "${change.fix.message}".`);
  await reachesGate(show, head);
  narrator.held('the tests pass, and the stage Release waits for a person');
  return { ...pull, head };
}

/** A newer commit ends the execution that waits: nobody can approve what is not the newest any more. */
export async function pushAgain(show: Show, pull: PullRequest): Promise<PullRequest & { writes: WriteCounter }> {
  const { set, narrator, change, repository } = show;
  narrator.act('A newer commit supersedes the one that waits');
  const writes = countWrites(set.github);
  const head = await set.github.commit(repository, { branch: pull.branch, author, ...change.second });
  narrator.say(`${author} pushes ${short(head)} "${change.second.message}".`);
  const title = new RegExp(`^Superseded by ${short(head)}`);
  for (const name of ['web', 'web / Release']) {
    await checkConcludes(show, { sha: pull.head, name, conclusion: 'cancelled', title });
  }
  await reachesGate(show, head);
  narrator.held(`the checks of ${short(pull.head)} say "Superseded by ${short(head)}", and its gate is gone`);
  return { ...pull, head, writes };
}

async function reachesGate(show: Show, sha: string): Promise<void> {
  await checkConcludes(show, { sha, name: 'web / Test', conclusion: 'success', title: /^Succeeded/ });
  const waits = { sha, conclusion: 'action_required', title: /^Waiting for approval: comment \/approve/ };
  await checkConcludes(show, { ...waits, name: 'web / Release' });
  await checkConcludes(show, { ...waits, name: 'web' });
}
