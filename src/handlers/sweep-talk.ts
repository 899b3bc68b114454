import type { ExecutionRecord } from '../db/executions.ts';
import { cursorOf, saveCursor } from '../db/ticks.ts';
import { standingVotesFrom } from '../db/votes.ts';
import type { Deps } from '../deps.ts';
import type { HumanText, OpenPullRequest, RepositoryRef } from '../github/github.ts';
import { handleHumanText, handleTextChanged } from './human-text.ts';

/** What a sweep of a repository has read already. */
export interface Seen {
  readonly open: readonly OpenPullRequest[];
  readonly live: readonly ExecutionRecord[];
}

/** GitHub lists a comment a little later than it is written; what is read twice is obeyed once. */
const overlapMs = 10 * 60_000;
/** Words of an older day have lost their moment; their writer has asked again by then. */
const longestMs = 24 * 60 * 60_000;

/**
 * Commands and dismissed reviews whose webhook was lost, on any pull request: what failed, what never ran and what
 * was merged take commands too. The first look at a repository only remembers when it was.
 */
export async function sweepTalk(deps: Deps, repository: RepositoryRef, seen: Seen): Promise<void> {
  const name = `talk/${repository.id}`;
  const now = deps.now().getTime();
  const before = await cursorOf(deps.db, name);
  if (before !== null) {
    const since = new Date(Math.max(Date.parse(before) - overlapMs, now - longestMs));
    const comments = await deps.github.commentsSince(repository, since);
    const reviews = await reviewsSince(deps, repository, seen, since);
    const words = [...comments, ...reviews].toSorted((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
    for (const text of words) await handleHumanText(deps, text, 'sweep');
  }
  await saveCursor(deps.db, name, new Date(now).toISOString());
}

/** New reviews, where anything changed or something runs. Answers of dismissed ones are taken back on the way. */
async function reviewsSince(
  deps: Deps,
  repository: RepositoryRef,
  { open, live }: Seen,
  since: Date,
): Promise<readonly HumanText[]> {
  const changed = open.filter((one) => Date.parse(one.updatedAt) >= since.getTime()).map((one) => one.number);
  const running = live.flatMap((record) => record.context.pullRequest ?? []);
  const fresh: HumanText[] = [];
  for (const number of new Set([...changed, ...running])) {
    for (const review of await deps.github.reviewsOf(repository, number)) {
      if (review.review?.state === 'dismissed') await takeDismissed(deps, review);
      else if (Date.parse(review.createdAt) >= since.getTime()) fresh.push(review);
    }
  }
  return fresh;
}

async function takeDismissed(deps: Deps, review: HumanText): Promise<void> {
  const source = `${review.source.kind}/${review.source.id}`;
  if ((await standingVotesFrom(deps.db, source)) === 0) return;
  const { repository, number, author } = review;
  const change = { kind: 'text-changed', action: 'dismissed', repository, number, author, sender: null } as const;
  await handleTextChanged(deps, { ...change, source: review.source });
}
