import type { GatePolicy } from '../commands/gate-policy.ts';
import type { ApprovalLimits } from '../config/server-types.ts';
import type { Deps } from '../deps.ts';
import type { ExecutionContext, Person } from '../engine/engine.ts';
import type { Account, FileRange, PullRequest, RepositoryRef } from '../github/github.ts';
import type { PipelineConfig } from '../config/repository-types.ts';

/** Who must not count for the gates of a commit: asked of GitHub once, when the execution starts. */
export interface Authorship {
  readonly lastPusher?: Person;
  readonly authors: readonly Person[];
  readonly unmapped: readonly string[];
}

export async function gatherAuthors(
  deps: Pick<Deps, 'github'>,
  repository: RepositoryRef,
  range: FileRange,
  first: readonly Account[],
  pusher: Account | undefined,
): Promise<Authorship> {
  const commits = await deps.github.commitAuthors(repository, range);
  const byId = new Map<number, Person>();
  for (const account of [...first, ...commits.accounts]) byId.set(account.id, { id: account.id, login: account.login });
  return {
    authors: [...byId.values()],
    unmapped: commits.unmapped,
    ...(pusher ? { lastPusher: { id: pusher.id, login: pusher.login } } : {}),
  };
}

/** A repository loosens its gates only as far as the operator allows (docs/configuration.md, approvals). */
export function limitedGates(
  gates: Readonly<Record<string, GatePolicy>>,
  limits: ApprovalLimits,
): Readonly<Record<string, GatePolicy>> {
  const limited = Object.entries(gates).map(([gate, policy]) => [
    gate,
    {
      ...policy,
      allowAuthor: policy.allowAuthor && limits.allowAuthor,
      allowLastPusher: policy.allowLastPusher && limits.allowLastPusher,
      allowCommitters: policy.allowCommitters && limits.allowCommitters,
    },
  ]);
  return Object.fromEntries(limited) as Readonly<Record<string, GatePolicy>>;
}

/** Configuration that governs: where it was read, and the digest of what was read. */
export interface Governing {
  readonly sha: string;
  readonly digest: string;
}

export function pullRequestContext(
  pipeline: PipelineConfig,
  pullRequest: PullRequest,
  facts: {
    readonly fork: boolean;
    readonly governing: Governing;
    readonly authorship: Authorship;
    readonly cause: string;
    readonly bareCommands: boolean;
    readonly approvals: ApprovalLimits;
  },
): ExecutionContext {
  return {
    headSha: pullRequest.headSha,
    headBranch: pullRequest.headRef,
    pullRequest: pullRequest.number,
    baseRef: pullRequest.baseRef,
    baseSha: pullRequest.baseSha,
    configSha: facts.governing.sha,
    configDigest: facts.governing.digest,
    fork: facts.fork,
    title: pullRequest.title,
    authors: facts.authorship.authors,
    ...(facts.authorship.lastPusher ? { lastPusher: facts.authorship.lastPusher } : {}),
    unmappedAuthors: facts.authorship.unmapped,
    cause: facts.cause,
    gates: limitedGates(pipeline.gates, facts.approvals),
    bareCommands: facts.bareCommands,
  };
}
