import type { GatePolicy } from '../commands/gate-policy.ts';
import type { ApprovalLimits } from '../config/server-types.ts';
import type { Deps } from '../deps.ts';
import type { ExecutionContext, Person } from '../engine/engine.ts';
import type { Account, ChangedFiles, FileRange, PullRequest, RepositoryRef } from '../github/github.ts';
import type { PipelineConfig, RepositoryConfig } from '../config/repository-types.ts';
import { filesOnce, gatherOwners, ruleChanges } from './gate-owners.ts';

/** Who must not count for the gates of a commit: asked of GitHub once, when the execution starts. */
export interface Authorship {
  readonly lastPusher?: Person;
  readonly authors: readonly Person[];
  readonly unmapped: readonly string[];
}

/** Stands among those whom nobody could find: authors and committers still do not count. */
export const unknownPusher = 'whoever pushed it, which GitHub does not tell';

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

export function authorsOfPullRequest(
  deps: Pick<Deps, 'github'>,
  repository: RepositoryRef,
  pullRequest: PullRequest,
): Promise<Authorship> {
  const range = { kind: 'pull-request', number: pullRequest.number } as const;
  return gatherAuthors(deps, repository, range, [pullRequest.author], undefined);
}

/** Everybody of both, once, in this order: the first one is the author. */
export function together(first: Authorship, second: Authorship): Authorship {
  const byId = new Map<number, Person>();
  for (const person of [...first.authors, ...second.authors]) if (!byId.has(person.id)) byId.set(person.id, person);
  const unmapped = [...new Set([...first.unmapped, ...second.unmapped])];
  return { ...second, ...first, authors: [...byId.values()], unmapped };
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

function pullRequestContext(
  pipeline: PipelineConfig,
  pullRequest: PullRequest,
  facts: {
    readonly fork: boolean;
    readonly governing: Governing;
    readonly authorship: Authorship;
    readonly cause: string;
    readonly bareCommands: boolean;
    readonly statusComment: boolean;
    readonly approvals: ApprovalLimits;
    readonly touched: Pick<ExecutionContext, 'owners' | 'ruleChanges'>;
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
    unmappedAuthors: facts.authorship.unmapped,
    cause: facts.cause,
    gates: limitedGates(pipeline.gates, facts.approvals),
    bareCommands: facts.bareCommands,
    ...(facts.statusComment ? { statusComment: true } : {}),
    ...facts.touched,
  };
}

/** What a pull request's execution is bound to, asked once: who wrote it, and who owns what it touches. */
export async function pullRequestFacts(
  deps: Pick<Deps, 'approvals' | 'github'>,
  repository: RepositoryRef,
  pullRequest: PullRequest,
  start: {
    readonly pipeline: PipelineConfig;
    readonly loaded: { readonly digest: string; readonly config: Pick<RepositoryConfig, 'commands' | 'statusComment'> };
    readonly cause: string;
    /** Asked for when absent. */
    readonly authorship?: Authorship;
  },
): Promise<ExecutionContext> {
  const { pipeline, loaded, cause } = start;
  return pullRequestContext(pipeline, pullRequest, {
    fork: pullRequest.headRepositoryId !== repository.id,
    governing: { sha: pullRequest.baseSha, digest: loaded.digest },
    authorship: start.authorship ?? (await authorsOfPullRequest(deps, repository, pullRequest)),
    cause,
    bareCommands: loaded.config.commands.bare,
    statusComment: loaded.config.statusComment,
    approvals: deps.approvals,
    touched: await gatherTouched(deps, repository, pipeline, pullRequest),
  });
}

async function gatherTouched(
  deps: Pick<Deps, 'github'>,
  repository: RepositoryRef,
  { gates, definition }: PipelineConfig,
  pullRequest: PullRequest,
): Promise<Pick<ExecutionContext, 'owners' | 'ruleChanges'>> {
  const files = (): Promise<ChangedFiles> => filesOnce(deps, repository, pullRequest);
  const changed = await ruleChanges(definition, files);
  const owners = await gatherOwners(deps, repository, { gates, configSha: pullRequest.baseSha, files });
  return { ...owners, ...(changed.length === 0 ? {} : { ruleChanges: changed }) };
}

/**
 * With the base branch as it is now. GitHub keeps the base commit that it saw when the head was pushed last, and what
 * the base branch says today is what governs (SEC R6, A-14).
 */
export async function withBaseNow(
  deps: Pick<Deps, 'github'>,
  repository: RepositoryRef,
  pullRequest: PullRequest,
): Promise<PullRequest> {
  const head = await deps.github.branchHead(repository, pullRequest.baseRef);
  return head ? { ...pullRequest, baseSha: head.sha } : pullRequest;
}
