import { z } from 'zod';
import type { LoadedConfiguration } from '../config/load.ts';
import { loadDelivery } from '../db/deliveries.ts';
import { decisionsFor } from '../db/start-decisions.ts';
import type { Deps } from '../deps.ts';
import type { ExecutionContext } from '../engine/engine.ts';
import type { Account, FileRange, PullRequest, RepositoryRef } from '../github/github.ts';
import { filesOfPullRequest, gatherOwners } from './gate-owners.ts';
import { gatherAuthors, limitedGates, together, unknownPusher, type Authorship } from './gather-context.ts';
import { mergerOf, peopleBehind } from './push-owner.ts';

type CommitDeps = Pick<Deps, 'approvals' | 'db' | 'github'>;
type Loaded = Extract<LoadedConfiguration, { kind: 'ok' }>;

/** A commit that AWS ran and that is no open pull request's head. */
export interface RunCommit {
  readonly sha: string;
  readonly pipeline: Loaded['config']['pipelines'][number];
  readonly loaded: Loaded;
  readonly cause: string;
  /** Pull requests that it belongs to; the pull request whose merge made it owns it. */
  readonly related: readonly PullRequest[];
}

/** What its execution is bound to: as for a push that we start ourselves, as far as AWS and GitHub tell. */
export async function commitFacts(
  deps: CommitDeps,
  repository: RepositoryRef,
  commit: RunCommit,
): Promise<ExecutionContext> {
  const { sha, pipeline, loaded, cause, related } = commit;
  const owner = related.find((one) => one.merged && one.mergeSha === sha);
  const push = await pushOf(deps, repository, sha);
  const range = rangeOf(sha, push, owner);
  const authorship = await authorsOf(deps, repository, { sha, owner, push, range });
  return {
    headSha: sha,
    ...(owner ? { pullRequest: owner.number, title: owner.title } : {}),
    configSha: sha,
    configDigest: loaded.digest,
    fork: false,
    authors: authorship.authors,
    ...(authorship.lastPusher ? { lastPusher: authorship.lastPusher } : {}),
    unmappedAuthors: authorship.unmapped,
    cause,
    gates: limitedGates(pipeline.gates, deps.approvals),
    bareCommands: loaded.config.commands.bare,
    // Where nobody says which range of commits it was, a gate that asks for owners stays closed.
    owners: 'unknown',
    ...(range === undefined
      ? {}
      : await gatherOwners(deps, repository, {
          gates: pipeline.gates,
          configSha: sha,
          files: () =>
            owner ? filesOfPullRequest(deps, repository, owner) : deps.github.changedFiles(repository, range),
        })),
  };
}

interface Pushed {
  readonly before: string | undefined;
  readonly sender: Account;
}

const pushShape = z.object({
  after: z.string(),
  before: z.string(),
  created: z.boolean().optional(),
  sender: z.object({ id: z.int(), login: z.string(), type: z.string().optional() }),
});

/** The push that brought the commit here: from its webhook, and from GitHub's list of activity when that was lost. */
async function pushOf(deps: CommitDeps, repository: RepositoryRef, sha: string): Promise<Pushed | undefined> {
  for (const { delivery } of await decisionsFor(deps.db, repository.id, { sha })) {
    const stored = delivery === null ? null : await loadDelivery(deps.db, delivery);
    if (stored?.event !== 'push') continue;
    const push = pushShape.safeParse(JSON.parse(stored.body.toString('utf8')));
    if (!push.success || push.data.after !== sha) continue;
    const { before, created = false, sender } = push.data;
    const account = { id: sender.id, login: sender.login, bot: sender.type === 'Bot' };
    return { before: created ? undefined : before, sender: account };
  }
  const made = await deps.github.pushOf(repository, sha);
  return made ? { before: made.before ?? undefined, sender: made.by } : undefined;
}

function rangeOf(after: string, push: Pushed | undefined, owner: PullRequest | undefined): FileRange | undefined {
  if (owner) return { kind: 'pull-request', number: owner.number };
  return push?.before === undefined ? undefined : { kind: 'commits', before: push.before, after };
}

interface Behind {
  readonly sha: string;
  readonly owner: PullRequest | undefined;
  readonly push: Pushed | undefined;
  readonly range: FileRange | undefined;
}

/** Never counted for its gates: authors and committers of the range, and who pushed or merged it. */
async function authorsOf(deps: CommitDeps, repository: RepositoryRef, about: Behind): Promise<Authorship> {
  const { sha, owner, push, range } = about;
  const merger = owner && (await mergerOf(deps, repository, owner));
  const pusher = push?.sender ?? merger;
  const first = [...(owner ? [owner.author] : push ? [push.sender] : []), ...(merger ? [merger] : [])];
  const found = await gatherAuthors(deps, repository, { kind: 'commit', sha }, first, pusher);
  const own = pusher ? found : { ...found, unmapped: [...found.unmapped, unknownPusher] };
  if (range === undefined) {
    const unknown = 'authors of further commits of the same push, which AWS does not tell';
    return { ...own, unmapped: [...own.unmapped, unknown] };
  }
  return together(
    own,
    owner ? await peopleBehind(deps, repository, owner) : await gatherAuthors(deps, repository, range, [], pusher),
  );
}
