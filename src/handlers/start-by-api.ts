import type { LoadedConfiguration } from '../config/load.ts';
import type { PipelineConfig } from '../config/repository-types.ts';
import { executionsFor, newestForLane } from '../db/executions.ts';
import { loadRepository } from '../db/repositories.ts';
import type { Deps } from '../deps.ts';
import type { DeclaredStart } from '../engine/engine.ts';
import { UserError } from '../errors.ts';
import type { RepositoryRef } from '../github/github.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { laneKey, type ExecutionId } from '../pipeline/execution.ts';
import { startOnHead } from './commands/run.ts';
import { withBaseNow } from './gather-context.ts';
import { loadGoverning } from './load-governing.ts';
import { contextOfPush } from './push.ts';
import { startExecution } from './start-execution.ts';

type ApiStartDeps = Pick<Deps, 'approvals' | 'aws' | 'db' | 'github' | 'engine' | 'log' | 'publicUrl'>;

/** Starts what /run would start, whatever the filters say. Throws UserError when there is nothing that may run. */
export async function startByApi(deps: ApiStartDeps, start: DeclaredStart): Promise<ExecutionId> {
  const repository = await loadRepository(deps.db, start.repositoryId);
  if (!repository) throw new UserError(`The repository ${start.repositoryId} is not known here.`);
  return start.pullRequest === null
    ? startOnBranch(deps, repository, start)
    : startOnPullRequest(deps, repository, start, start.pullRequest);
}

async function startOnPullRequest(deps: ApiStartDeps, repository: RepositoryRef, start: DeclaredStart, number: number) {
  const found = await deps.github.pullRequest(repository, number);
  if (!found || found.state === 'closed') throw new UserError(`The pull request ${number} is not open.`);
  const pullRequest = await withBaseNow(deps, repository, found);
  if (pullRequest.headRepositoryId !== repository.id) {
    throw new UserError(`The pull request ${number} comes from a fork: /ok-to-test on GitHub starts it.`);
  }
  if (start.sha !== undefined && start.sha !== pullRequest.headSha) {
    throw new UserError(`${start.sha} is not the head of the pull request ${number}, which is ${pullRequest.headSha}.`);
  }
  const loaded = await loadGoverning(deps, repository, pullRequest.baseSha);
  return startOnHead(deps, { repository, ...askedBy(start) }, pullRequest, declaredIn(loaded, start.pipeline));
}

/** The head of the branch that the lane was started for last, or a commit that it ran before (SEC-C-16). */
async function startOnBranch(
  deps: ApiStartDeps,
  repository: RepositoryRef,
  start: DeclaredStart,
): Promise<ExecutionId> {
  const lane = laneKey(repository.id, start.pipeline);
  const newest = await newestForLane(deps.db, lane);
  const branch = newest?.context.headBranch ?? (await deps.github.defaultBranch(repository));
  const head = branch ? await deps.github.branchHead(repository, branch) : null;
  const sha = start.sha ?? head?.sha;
  if (!branch || sha === undefined) throw new UserError('The repository has no branch whose head could be taken.');
  const [before] = (await executionsFor(deps.db, repository.id, sha)).filter((one) => one.execution.lane === lane);
  if (!before && sha !== head?.sha) {
    throw new UserError(`${sha} is neither the head of ${branch} nor a commit that ${start.pipeline} ran before.`);
  }
  const declared = declaredIn(await loadGoverning(deps, repository, sha), start.pipeline);
  const { cause, triggerDetail, ...asked } = askedBy(start);
  const push = {
    repository,
    ref: { kind: 'branch', name: branch },
    before: sha,
    after: sha,
    created: true,
    headMessage: head?.sha === sha ? head.message : '',
  } as const;
  const context = before?.context ?? (await contextOfPush(deps, push, { ...declared, cause }));
  return startExecution(deps, {
    repository,
    ...declared,
    ...asked,
    lane,
    context: { ...context, cause },
    trigger: { type: 'StartPipelineExecution', detail: triggerDetail },
    reason: cause,
  });
}

function askedBy({ idempotencyKey, by, variables }: DeclaredStart) {
  return { idempotencyKey, by, variables, cause: `StartPipelineExecution by ${by.arn}`, triggerDetail: by.arn };
}

interface Declared {
  readonly loaded: Extract<LoadedConfiguration, { kind: 'ok' }>;
  readonly pipeline: PipelineConfig;
  readonly definition: PipelineDefinition;
}

function declaredIn(loaded: LoadedConfiguration, name: string): Declared {
  const pipeline = loaded.kind === 'ok' ? loaded.config.pipelines.find((one) => one.name === name) : undefined;
  const definition = loaded.kind === 'ok' ? loaded.definitions[name] : undefined;
  if (loaded.kind === 'ok' && pipeline && definition) return { loaded, pipeline, definition };
  throw new UserError(`.github/penstock.yml of that commit has no pipeline ${name} that can be used.`);
}
