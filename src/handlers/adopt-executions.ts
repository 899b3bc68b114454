import { enqueueObservation, quietTimes, type Watched } from '../db/aws-executions.ts';
import { listRepositories, loadRepository, type StoredRepository } from '../db/repositories.ts';
import { recordDecision } from '../db/start-decisions.ts';
import { cursorOf, saveCursor } from '../db/ticks.ts';
import type { Deps, FoundExecution } from '../deps.ts';
import type { ExecutionContext } from '../engine/engine.ts';
import { describeError, UserError } from '../errors.ts';
import type { RepositoryRef } from '../github/github.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { laneKey, type LaneKey } from '../pipeline/execution.ts';
import { commitFacts } from './commit-facts.ts';
import { pullRequestFacts } from './gather-context.ts';
import { loadGoverning } from './load-governing.ts';

type AdoptDeps = Pick<Deps, 'approvals' | 'aws' | 'db' | 'github' | 'log' | 'now' | 'serves'>;

/** Executions that ended before we saw them are still shown when they are younger than this. */
const youngMs = 24 * 60 * 60_000;
/** What only a person can mend is not asked for again sooner. */
const brokenMs = 5 * 60_000;
/** Looks that a sweep asks for are spread over so long. */
const spreadMs = 20_000;

/** Asks for a look at every bound pipeline that nobody has looked at for a while: no event, and no job, is relied on. */
export async function sweepAws(deps: Pick<Deps, 'aws' | 'db' | 'serves'>): Promise<void> {
  for (const repository of await listRepositories(deps.db)) {
    if (!isServed(deps, repository)) continue;
    for (const pipeline of deps.aws.pipelinesOf(repository.owner, repository.name)) {
      const watched = { repositoryId: repository.id, pipeline };
      const { lookMs, eventMs } = await quietTimes(deps.db, watched);
      const isDue = lookMs === null || lookMs > deps.aws.idleLookMs(eventMs);
      if (isDue) await enqueueObservation(deps.db, watched, lookMs === null ? 0 : Math.random() * spreadMs);
    }
  }
}

function isServed({ serves }: Pick<Deps, 'serves'>, { suspended, owner, name }: StoredRepository): boolean {
  return suspended === null && serves(owner, name);
}

/** One look at a pipeline of AWS: what is on record becomes true again, and what AWS started by itself is put there. */
export async function observePipeline(
  deps: AdoptDeps,
  watched: Watched,
): Promise<{ readonly againAfterMs: number } | undefined> {
  const repository = await loadRepository(deps.db, watched.repositoryId);
  if (!repository || !isServed(deps, repository)) return undefined;
  try {
    const { strangers, againAfterMs } = await deps.aws.observe(watched);
    await adoptNews(deps, repository, watched.pipeline, strangers);
    return againAfterMs === undefined ? undefined : { againAfterMs };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // A role that was taken away comes back when somebody gives it back.
    deps.log.warn({ ...watched, error: error.message }, 'a pipeline of AWS cannot be looked at');
    return { againAfterMs: brokenMs };
  }
}

async function adoptNews(
  deps: AdoptDeps,
  repository: RepositoryRef,
  pipeline: string,
  strangers: readonly FoundExecution[],
): Promise<void> {
  const tick = `aws/${repository.id}/${pipeline}`;
  const cursor = await cursorOf(deps.db, tick);
  const now = deps.now();
  if (cursor === null) await saveCursor(deps.db, tick, now.toISOString());
  // What ended before this pipeline was bound is history, not news.
  const since = Math.max(Date.parse(cursor ?? now.toISOString()), now.getTime() - youngMs);
  const news = strangers.filter(({ live, startedAt }) => live || (startedAt?.getTime() ?? 0) >= since);
  // GitHub is asked about each of them once, however often they are seen.
  const leftTick = `aws-left/${repository.id}/${pipeline}`;
  const before = ((await cursorOf(deps.db, leftTick)) ?? '').split(' ');
  const left = before.filter((id) => strangers.some(({ awsId }) => awsId === id));
  for (const found of news.filter(({ awsId }) => !left.includes(awsId)).toReversed()) {
    if ((await adoptOne(deps, repository, pipeline, found)) === 'left') left.push(found.awsId);
  }
  if (left.join(' ') !== before.join(' ')) await saveCursor(deps.db, leftTick, left.join(' '));
}

/** `left`: not ours to show, now and later. `open`: taken, or to be asked about again. */
type Adopted = 'left' | 'open';

async function adoptOne(
  deps: AdoptDeps,
  repository: RepositoryRef,
  pipeline: string,
  found: FoundExecution,
): Promise<Adopted> {
  try {
    return await adopt(deps, repository, pipeline, found);
  } catch (error) {
    // One that cannot be matched now must not keep the others from being shown.
    const about = { repository: repository.id, pipeline, awsExecution: found.awsId };
    deps.log.warn({ ...about, error: describeError(error) }, 'an execution that AWS started could not be taken over');
    return 'open';
  }
}

async function adopt(
  deps: AdoptDeps,
  repository: RepositoryRef,
  name: string,
  found: FoundExecution,
): Promise<Adopted> {
  if (found.rollbackOf !== undefined) {
    await deps.aws.adoptRollback(found.rollbackOf, found);
    return 'open';
  }
  const definition = await deps.aws.definitionOf(repository.id, name);
  const sources = sourcesOf(definition, repository);
  const sha = found.revisions.find(({ actionName }) => sources.includes(actionName))?.revisionId;
  // Until its source stage is done nobody knows its commit (CP-E-10); without one it is not this repository's.
  if (sha === undefined) return found.live ? 'open' : 'left';
  const related = await deps.github.pullRequestsOf(repository, sha);
  const open = related.find((one) => one.state === 'open' && one.headSha === sha);
  const loaded = await loadGoverning(deps, repository, open?.baseSha ?? sha);
  const pipeline = loaded.kind === 'ok' ? loaded.config.pipelines.find((one) => one.name === name) : undefined;
  if (loaded.kind !== 'ok' || pipeline?.engine !== 'aws' || pipeline.starts === 'bot') return 'left';
  const cause = `started by AWS (${found.trigger.type})`;
  const context = open
    ? await pullRequestFacts(deps, repository, open, { pipeline, loaded, cause })
    : await commitFacts(deps, repository, { sha, pipeline, loaded, cause, related });
  const lane = laneKey(repository.id, name, open?.number);
  await take(deps, { repository, name, lane, definition, found, context });
  return 'open';
}

interface Taking {
  readonly repository: RepositoryRef;
  readonly name: string;
  readonly lane: LaneKey;
  readonly definition: PipelineDefinition;
  readonly found: FoundExecution;
  readonly context: ExecutionContext;
}

async function take(deps: AdoptDeps, taking: Taking): Promise<void> {
  const { repository, name, lane, definition, found, context } = taking;
  const execution = await deps.aws.adopt(
    {
      idempotencyKey: `aws/${repository.id}/${found.awsId}`,
      repositoryId: repository.id,
      pipeline: name,
      lane,
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
  const decision = { repositoryId: repository.id, pipeline: name, headSha: context.headSha, ...pullRequest };
  await recordDecision(deps.db, { ...decision, outcome: 'started', reason: context.cause, execution });
}

/** Source actions that read this repository. */
function sourcesOf(definition: PipelineDefinition, repository: RepositoryRef): readonly string[] {
  const full = `${repository.owner}/${repository.name}`.toLowerCase();
  return (definition.stages[0]?.actions ?? [])
    .filter(({ configuration }) => configuration['FullRepositoryId']?.toLowerCase() === full)
    .map((action) => action.name);
}
