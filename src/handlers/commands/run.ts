import type { Command } from '../../commands/command.ts';
import type { LoadedConfiguration } from '../../config/load.ts';
import type { PipelineConfig } from '../../config/repository-types.ts';
import type { Deps } from '../../deps.ts';
import type { PullRequest, RepositoryRef } from '../../github/github.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { laneKey, type Actor, type ExecutionId } from '../../pipeline/execution.ts';
import { pullRequestFacts, withBaseNow } from '../gather-context.ts';
import { loadGoverning } from '../load-governing.ts';
import type { Answer, Asked, CommandDeps } from '../asked.ts';
import { done, refused } from '../asked.ts';
import { endLane, startExecution } from '../start-execution.ts';

type RunCommand = Extract<Command, { verb: 'run' }>;
type Ok = Extract<LoadedConfiguration, { kind: 'ok' }>;

/** Starts a pipeline on the pull request's head by hand, whatever the filters say; only declared variables are taken. */
export async function run(deps: CommandDeps & Pick<Deps, 'aws'>, asked: Asked, command: RunCommand): Promise<Answer> {
  const asOf = asked.pullRequest;
  if (!asOf || asOf.state === 'closed') return refused('A closed pull request starts nothing.');
  const pullRequest = await withBaseNow(deps, asked.repository, asOf);
  if (pullRequest.headRepositoryId !== asked.repository.id) {
    return refused(
      `This comes from a fork. Look at the change, then comment \`/penstock ok-to-test ${pullRequest.headSha}\`.`,
    );
  }
  const loaded = await loadGoverning(deps, asked.repository, pullRequest.baseSha);
  if (loaded.kind !== 'ok')
    return refused('`.github/penstock.yml` cannot be used at the base commit; its check says why.');
  const chosen = choose(loaded, command);
  if ('problem' in chosen) return refused(chosen.problem);
  const unknown = command.variables.find((one) => !chosen.definition.variables.some(({ name }) => name === one.name));
  if (unknown) return refused(undeclared(chosen, unknown.name));
  const start = {
    repository: asked.repository,
    by: asked.by,
    idempotencyKey: `run/${asked.repository.id}/${chosen.pipeline.name}/${asked.source}`,
    cause: `/run by ${asked.person.login}`,
    triggerDetail: `github:${asked.person.id}`,
    variables: command.variables,
  };
  await startOnHead(deps, start, pullRequest, { ...chosen, loaded });
  return done();
}

type Chosen = { readonly pipeline: PipelineConfig; readonly definition: PipelineDefinition };

function choose(loaded: Ok, command: RunCommand): Chosen | { readonly problem: string } {
  const names = loaded.config.pipelines.map((pipeline) => pipeline.name);
  const wanted = command.target.pipeline ?? (names.length === 1 ? names[0] : undefined);
  if (wanted === undefined)
    return { problem: `Which one? ${names.map((name) => `\`/penstock run ${name}\``).join(', ')}.` };
  const pipeline = loaded.config.pipelines.find((one) => one.name === wanted);
  const definition = loaded.definitions[wanted];
  if (!pipeline)
    return { problem: `There is no pipeline \`${wanted}\` in .github/penstock.yml. There is: ${names.join(', ')}.` };
  if (!definition) return { problem: `The declaration of \`${wanted}\` cannot be used; its check says why.` };
  return { pipeline, definition };
}

function undeclared(chosen: Chosen, name: string): string {
  const declared = chosen.definition.variables.map((one) => one.name);
  const known = declared.length === 0 ? 'It declares none.' : `It declares: ${declared.join(', ')}.`;
  return `Pipeline \`${chosen.pipeline.name}\` declares no variable \`${name}\`. ${known}`;
}

/** Who asked for a start by hand, and in which words it is remembered. */
export interface AskedStart {
  readonly repository: RepositoryRef;
  readonly by: Actor;
  readonly idempotencyKey: string;
  readonly cause: string;
  readonly triggerDetail: string;
  readonly variables: readonly { readonly name: string; readonly value: string }[];
}

/** On the pull request's head; what the lane ran for older commits or configurations ends. */
export async function startOnHead(
  deps: Pick<Deps, 'approvals' | 'db' | 'github' | 'engine'>,
  start: AskedStart,
  pullRequest: PullRequest,
  chosen: Chosen & { readonly loaded: Ok },
): Promise<ExecutionId> {
  const { repository, by, idempotencyKey, cause, triggerDetail, variables } = start;
  const lane = laneKey(repository.id, chosen.pipeline.name, pullRequest.number);
  await endLane(deps, lane, { kind: 'newer-commit', sha: pullRequest.headSha }, by);
  await endLane(deps, lane, { kind: 'configuration-changed', digest: chosen.loaded.digest }, by);
  return startExecution(deps, {
    repository,
    pipeline: chosen.pipeline,
    definition: chosen.definition,
    lane,
    idempotencyKey,
    context: await pullRequestFacts(deps, repository, pullRequest, { ...chosen, cause }),
    by,
    trigger: { type: 'StartPipelineExecution', detail: triggerDetail },
    variables,
    reason: cause,
  });
}
