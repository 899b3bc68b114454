import { loadConfiguration, type LoadedConfiguration } from '../config/load.ts';
import { liveExecutionsOfLane } from '../db/executions.ts';
import type { Deps } from '../deps.ts';
import type { WebhookEvent } from '../github/event.ts';
import type { PipelineDefinition, StageDeclaration } from '../pipeline/definition.ts';
import type { LaneKey } from '../pipeline/execution.ts';
import type { PipelineConfig } from '../config/repository-types.ts';
import { renderMergeGroupPass, renderSkipped } from '../render/plain-checks.ts';
import { postBroken } from './broken-configuration.ts';
import { handled, ignored, type Outcome } from './outcome.ts';
import { postCheck } from './post-check.ts';
import { recordStart } from './record-start.ts';
import { startExecution } from './start-execution.ts';

type MergeGroup = Extract<WebhookEvent, { kind: 'merge-group' }>;
type MergeGroupDeps = Pick<Deps, 'db' | 'github' | 'engine' | 'publicUrl'>;
type Ok = Extract<LoadedConfiguration, { kind: 'ok' }>;

/** Every pipeline's aggregate concludes on the group's commit: passed on, skipped, or really run without deploys. */
export async function handleMergeGroup(deps: MergeGroupDeps, group: MergeGroup, delivery?: string): Promise<Outcome> {
  const { repository } = group;
  const loaded = await loadConfiguration(deps.github, repository, group.baseSha);
  if (loaded.kind === 'none') return ignored('there is no .github/penstock.yml at the base commit');
  if (loaded.kind === 'broken') {
    await postBroken(deps, { repository, headSha: group.headSha, delivery }, 'penstock', loaded.problems);
    return handled('.github/penstock.yml is broken, shown in a check');
  }
  if (group.action === 'destroyed') return endGroup(deps, group, loaded);
  const said: string[] = [];
  for (const pipeline of loaded.config.pipelines) said.push(await enterGroup(deps, group, loaded, pipeline, delivery));
  return handled(said.join('; '));
}

function groupLane(group: MergeGroup, pipeline: string): LaneKey {
  return `${group.repository.id}/${pipeline}/merge-${group.headSha}` as LaneKey;
}

async function enterGroup(
  deps: MergeGroupDeps,
  group: MergeGroup,
  loaded: Ok,
  pipeline: PipelineConfig,
  delivery: string | undefined,
): Promise<string> {
  const key = { repository: group.repository, headSha: group.headSha, execution: null };
  const definition = loaded.definitions[pipeline.name];
  const checked = definition && pipeline.mergeGroup === 'run' ? withoutDeploys(definition) : undefined;
  if (checked) {
    await startInGroup(deps, group, { loaded, pipeline, definition: checked, delivery });
    return `${pipeline.name}: runs for the merge group`;
  }
  const reason = `mergeGroup: ${pipeline.mergeGroup}`;
  const view =
    pipeline.mergeGroup === 'skip'
      ? renderSkipped(pipeline.name, 'it does not run for merge groups (mergeGroup: skip)', deps.publicUrl)
      : renderMergeGroupPass(pipeline.name, deps.publicUrl);
  await postCheck(deps, key, view);
  const decision = {
    repositoryId: group.repository.id,
    pipeline: pipeline.name,
    headSha: group.headSha,
    ...(delivery === undefined ? {} : { delivery }),
    outcome: 'passed' as const,
    reason,
  };
  await recordStart(deps, decision, { kind: 'penstock', why: 'the merge queue asked for checks' });
  return `${pipeline.name}: ${reason}`;
}

/** Stages before the first one that deploys, asks a person or starts another pipeline, which may do either; `undefined` when nothing worth running is left. */
export function withoutDeploys(definition: PipelineDefinition): PipelineDefinition | undefined {
  const end = definition.stages.findIndex(deploysOrAsks);
  const stages = end < 0 ? definition.stages : definition.stages.slice(0, end);
  return stages.length < 2 ? undefined : { ...definition, stages };
}

function deploysOrAsks(stage: StageDeclaration): boolean {
  return stage.actions.some(
    ({ actionTypeId: { category, provider } }) =>
      category === 'Deploy' || category === 'Approval' || provider === 'CodePipeline',
  );
}

interface GroupStart {
  readonly loaded: Ok;
  readonly pipeline: PipelineConfig;
  readonly definition: PipelineDefinition;
  readonly delivery: string | undefined;
}

async function startInGroup(deps: MergeGroupDeps, group: MergeGroup, start: GroupStart): Promise<void> {
  const { repository, headSha } = group;
  const { pipeline } = start;
  await startExecution(deps, {
    repository,
    pipeline,
    definition: start.definition,
    lane: groupLane(group, pipeline.name),
    idempotencyKey: `merge-group/${repository.id}/${pipeline.name}/${headSha}`,
    context: {
      headSha,
      headBranch: group.headRef,
      baseRef: group.baseRef,
      baseSha: group.baseSha,
      configSha: group.baseSha,
      configDigest: start.loaded.digest,
      fork: false,
      authors: [],
      unmappedAuthors: [],
      cause: `merge group for ${group.baseRef}`,
      gates: {},
      bareCommands: start.loaded.config.commands.bare,
    },
    by: { kind: 'penstock', why: 'the merge queue asked for checks' },
    reason: 'mergeGroup: run',
    ...(start.delivery === undefined ? {} : { delivery: start.delivery }),
  });
}

async function endGroup(deps: MergeGroupDeps, group: MergeGroup, loaded: Ok): Promise<Outcome> {
  let ended = 0;
  for (const pipeline of loaded.config.pipelines) {
    for (const record of await liveExecutionsOfLane(deps.db, groupLane(group, pipeline.name))) {
      const { lane, id } = record.execution;
      const because = { kind: 'closed', merged: group.reason === 'merged' } as const;
      const by = { kind: 'penstock', why: `the merge group ended: ${group.reason ?? 'no reason given'}` } as const;
      await deps.engine.obey({ kind: 'withdraw', lane, execution: id, because }, by);
      ended += 1;
    }
  }
  return handled(`merge group ended (${group.reason ?? 'no reason given'}): ${ended} execution(s) stopped`);
}
