import { z } from 'zod';
import type { Client } from './client.ts';
import type { GitHub, OpenPullRequest, PullRequest, RepositoryRef } from './github.ts';
import { allPages, named, on, orNull } from './paging.ts';
import { moment, pullRequest, sha } from './shapes.ts';

type Pulls = Pick<GitHub, 'pullRequest' | 'openPullRequests' | 'pullRequestsOf'>;

const changed = z.object({ updated_at: moment });
const openPullRequest = z.unknown().transform((value, context): OpenPullRequest => {
  const [shape, when] = [pullRequest.safeParse(value), changed.safeParse(value)];
  if (shape.success && when.success) return { ...shape.data, updatedAt: when.data.updated_at };
  context.addIssue((shape.error ?? when.error)?.issues[0]?.message ?? 'not a pull request');
  return z.NEVER;
});

const target = z.object({ base: z.object({ repo: z.object({ id: z.int() }) }) });

/** A fork's pull requests share commits with this repository; only those into it are ours. */
function intoThis(repository: RepositoryRef) {
  const one = z.unknown().transform((value, context): PullRequest | null => {
    const { data } = target.safeParse(value);
    if (data && data.base.repo.id !== repository.id) return null;
    const parsed = pullRequest.safeParse(value);
    if (parsed.success) return parsed.data;
    context.addIssue(parsed.error.issues[0]?.message ?? 'not a pull request');
    return z.NEVER;
  });
  return z.array(one);
}

export function pullVerbs(client: Client): Pulls {
  return {
    pullRequest(repository, number) {
      const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}';
      const parameters = { ...named(repository), pull_number: number };
      return orNull(client.ask(on(repository, 'pulls'), route, parameters, pullRequest));
    },
    async openPullRequests(repository) {
      const route = 'GET /repos/{owner}/{repo}/pulls';
      const parameters = { ...named(repository), state: 'open', sort: 'created', direction: 'asc' };
      const pages = await allPages(
        client,
        on(repository, 'pulls'),
        route,
        parameters,
        z.array(openPullRequest),
        (page) => page,
      );
      return pages.flat();
    },
    pullRequestsOf: (repository, commit) => pullRequestsOf(client, repository, commit),
  };
}

async function pullRequestsOf(
  client: Client,
  repository: RepositoryRef,
  commit: string,
): Promise<readonly PullRequest[]> {
  const route = 'GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls';
  const parameters = { ...named(repository), commit_sha: sha.parse(commit) };
  const pages = await orNull(
    allPages(client, on(repository, 'pulls'), route, parameters, intoThis(repository), (page) => page, 3),
    [404, 422],
  );
  const found = (pages ?? []).flat().filter((pull) => pull !== null);
  return found.sort((a, b) => rank(a, commit) - rank(b, commit) || b.number - a.number);
}

/** The merge that made the commit, then other merged ones, then the rest. */
function rank(pull: PullRequest, commit: string): number {
  if (pull.mergeSha === commit) return 0;
  return pull.merged ? 1 : 2;
}
