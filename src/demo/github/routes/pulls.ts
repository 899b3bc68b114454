import { notFound } from '../api-error.ts';
import { changedFilesSince, commitsBetween } from '../git-read.ts';
import { commitPayload, filePayload } from '../payloads/commit.ts';
import { fullPullRequest, simplePullRequest } from '../payloads/pull-request.ts';
import { reviewPayload } from '../payloads/talk.ts';
import {
  listAnswer,
  numberParameter,
  ok,
  repositoryRoute,
  type Answer,
  type RepositoryCall,
  type Route,
} from '../route.ts';
import type { PullRequest, Review } from '../state.ts';

const read = ['pull_requests:read'];

/** GitHub lists at most this many files and commits of a pull request. */
const mostFiles = 3000;
const mostCommits = 250;

export const pullRoutes: readonly Route[] = [
  repositoryRoute('GET /pulls', read, (call) =>
    listAnswer(call, wanted(call), (pull) => simplePullRequest(call.site, pull)),
  ),
  repositoryRoute('GET /pulls/{pull_number}', read, async (call) => ok(await fullPullRequest(call.site, pullOf(call)))),
  repositoryRoute('GET /pulls/{pull_number}/files', read, files),
  repositoryRoute('GET /pulls/{pull_number}/commits', read, commits),
  repositoryRoute('GET /pulls/{pull_number}/reviews', read, (call) => {
    const pull = pullOf(call);
    const reviews = [...call.site.state.reviews.values()].filter((review) => review.pullRequest === pull);
    return listAnswer(call, reviews, (review) => restReview(call, review));
  }),
];

/** Events write a review's state in small letters, and null where it has no body. */
function restReview(call: RepositoryCall, review: Review): unknown {
  return { ...reviewPayload(call.site, review), state: review.state.toUpperCase(), body: review.body ?? '' };
}

export function pullOf(call: RepositoryCall, parameter = 'pull_number'): PullRequest {
  const pull = call.repository.pullRequests.get(numberParameter(call, parameter));
  if (pull === undefined) throw notFound();
  return pull;
}

/** Newest first, unless `sort` and `direction` say otherwise. */
function wanted(call: RepositoryCall): readonly PullRequest[] {
  const { query } = call;
  const state = query.get('state') ?? 'open';
  const head = query.get('head');
  const base = query.get('base');
  const found = [...call.repository.pullRequests.values()].filter(
    (pull) =>
      (state === 'all' || pull.state === state) &&
      (head === null || head === `${pull.head.repository.owner.login}:${pull.head.ref}`) &&
      (base === null || base === pull.base.ref),
  );
  const key = (pull: PullRequest) => (query.get('sort') === 'updated' ? pull.updatedAt.getTime() : pull.number);
  const sign = (query.get('direction') ?? 'desc') === 'asc' ? 1 : -1;
  return found.sort((a, b) => sign * (key(a) - key(b) || a.number - b.number));
}

async function files(call: RepositoryCall): Promise<Answer> {
  const { path } = call.repository;
  const { base, head } = pullOf(call);
  const changed = await changedFilesSince(path, base.sha, head.sha);
  const shape = (file: (typeof changed)[number]) => filePayload(call.site, call.repository, head.sha, file);
  return listAnswer(call, changed.slice(0, mostFiles), shape);
}

async function commits(call: RepositoryCall): Promise<Answer> {
  const { path } = call.repository;
  const { base, head } = pullOf(call);
  const own = await commitsBetween(path, base.sha, head.sha);
  return listAnswer(call, own.slice(0, mostCommits), (one) => commitPayload(call.site, call.repository, one));
}
