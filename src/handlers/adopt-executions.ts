import { liveAwsExecutions } from '../db/aws-executions.ts';
import { latestHead } from '../db/pull-request-heads.ts';
import { listRepositories } from '../db/repositories.ts';
import { recordDecision } from '../db/start-decisions.ts';
import { cursorOf, saveCursor } from '../db/ticks.ts';
import type { Deps, FoundExecution } from '../deps.ts';
import type { ExecutionContext } from '../engine/engine.ts';
import { describeError } from '../errors.ts';
import type { PullRequest, RepositoryRef } from '../github/github.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { laneKey } from '../pipeline/execution.ts';
import { gatherAuthors, limitedGates, pullRequestFacts } from './gather-context.ts';
import { loadGoverning } from './load-governing.ts';

type AdoptDeps = Pick<Deps, 'approvals' | 'aws' | 'db' | 'github' | 'log' | 'now' | 'serves'>;

/** A live execution is looked at by its own job; should that be lost, it comes back within this time. */
const lostLookMs = 5 * 60_000;
/** Executions that ended before we saw them are still shown when they are younger than this. */
const youngMs = 24 * 60 * 60_000;

/** What AWS does without telling us: executions that it started itself, and old ones that were retried there. */
export async function sweepAws(deps: AdoptDeps): Promise<void> {
  for (const execution of await liveAwsExecutions(deps.db)) await deps.aws.look(execution, lostLookMs);
  for (const repository of await listRepositories(deps.db)) {
    if (repository.suspended !== null || !deps.serves(repository.owner, repository.name)) continue;
    for (const pipeline of deps.aws.pipelinesOf(repository.owner, repository.name)) {
      try {
        await sweepPipeline(deps, repository, pipeline);
      } catch (error) {
        // One role that was taken away must not keep the others from being looked at.
        deps.log.warn({ repository: repository.id, pipeline, error: describeError(error) }, 'sweep of AWS failed');
      }
    }
  }
}

async function sweepPipeline(deps: AdoptDeps, repository: RepositoryRef, pipeline: string): Promise<void> {
  const { strangers, revived } = await deps.aws.findExecutions(repository.id, pipeline);
  for (const execution of revived) await deps.aws.look(execution, 0);
  const tick = `aws/${repository.id}/${pipeline}`;
  const cursor = await cursorOf(deps.db, tick);
  const now = deps.now();
  if (cursor === null) await saveCursor(deps.db, tick, now.toISOString());
  // What ended before this pipeline was bound is history, not news.
  const since = Math.max(Date.parse(cursor ?? now.toISOString()), now.getTime() - youngMs);
  const news = strangers.filter(({ live, startedAt }) => live || (startedAt?.getTime() ?? 0) >= since);
  for (const found of news.toReversed()) await adopt(deps, repository, pipeline, found);
}

async function adopt(deps: AdoptDeps, repository: RepositoryRef, name: string, found: FoundExecution): Promise<void> {
  if (found.rollbackOf !== undefined) return deps.aws.adoptRollback(found.rollbackOf, found);
  const definition = await deps.aws.definitionOf(repository.id, name);
  const sources = sourcesOf(definition, repository);
  const sha = found.revisions.find(({ actionName }) => sources.includes(actionName))?.revisionId;
  // Until its source stage is done nobody knows its commit (CP-E-10); without one it is not this repository's.
  if (sha === undefined) return;
  const related = await deps.github.pullRequestsOf(repository, sha);
  const open = related.find((one) => one.state === 'open' && one.headSha === sha);
  const governing = open?.baseSha ?? sha;
  const loaded = await loadGoverning(deps, repository, governing);
  const pipeline = loaded.kind === 'ok' ? loaded.config.pipelines.find((one) => one.name === name) : undefined;
  if (loaded.kind !== 'ok' || pipeline?.engine !== 'aws' || pipeline.starts === 'bot') return;
  const cause = `started by AWS (${found.trigger.type})`;
  const context = open
    ? {
        ...(await pullRequestFacts(deps, repository, open, { pipeline, loaded, cause })),
        ...(await pusherOf(deps, repository, open)),
      }
    : await commitFacts(deps, repository, { sha, pipeline, loaded, cause, related });
  const execution = await deps.aws.adopt(
    {
      idempotencyKey: `aws/${repository.id}/${found.awsId}`,
      repositoryId: repository.id,
      pipeline: name,
      lane: laneKey(repository.id, name, open?.number),
      definition,
      trigger: found.trigger,
      sourceRevisions: found.revisions,
      variables: [],
      by: found.by,
      context,
      engine: 'aws',
    },
    found.awsId,
  );
  if (execution === undefined) return;
  const pullRequest = context.pullRequest === undefined ? {} : { pullRequest: context.pullRequest };
  const decision = { repositoryId: repository.id, pipeline: name, headSha: sha, ...pullRequest };
  await recordDecision(deps.db, { ...decision, outcome: 'started', reason: cause, execution });
}

/** Source actions that read this repository. */
function sourcesOf(definition: PipelineDefinition, repository: RepositoryRef): readonly string[] {
  const full = `${repository.owner}/${repository.name}`.toLowerCase();
  return (definition.stages[0]?.actions ?? [])
    .filter(({ configuration }) => configuration['FullRepositoryId']?.toLowerCase() === full)
    .map((action) => action.name);
}

/** Who pushed this head, as its webhook said: never counted for its gates. Only the id is on record. */
async function pusherOf(
  deps: Pick<Deps, 'db'>,
  repository: RepositoryRef,
  { number, headSha }: PullRequest,
): Promise<Pick<ExecutionContext, 'lastPusher'>> {
  const head = await latestHead(deps.db, repository.id, number);
  if (head?.headSha !== headSha || head.pushedBy === null) return {};
  return { lastPusher: { id: head.pushedBy, login: `github-${head.pushedBy}` } };
}

type Loaded = Extract<Awaited<ReturnType<typeof loadGoverning>>, { kind: 'ok' }>;

interface Commit {
  readonly sha: string;
  readonly pipeline: Loaded['config']['pipelines'][number];
  readonly loaded: Loaded;
  readonly cause: string;
  readonly related: readonly PullRequest[];
}

/** Of a commit that is no open pull request's head: the pull request whose merge made it owns it. */
async function commitFacts(deps: AdoptDeps, repository: RepositoryRef, commit: Commit): Promise<ExecutionContext> {
  const { sha, pipeline, loaded, cause, related } = commit;
  const owner = related.find((one) => one.merged && one.mergeSha === sha);
  const first = owner ? [owner.author] : [];
  const { authors, unmapped } = await gatherAuthors(deps, repository, { kind: 'commit', sha }, first, undefined);
  return {
    headSha: sha,
    ...(owner ? { pullRequest: owner.number, title: owner.title } : {}),
    configSha: sha,
    configDigest: loaded.digest,
    fork: false,
    authors,
    unmappedAuthors: unmapped,
    cause,
    gates: limitedGates(pipeline.gates, deps.approvals),
    bareCommands: loaded.config.commands.bare,
    // AWS does not say which range of commits it was: a gate that asks for owners stays closed.
    owners: 'unknown',
  };
}
