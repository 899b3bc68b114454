import type { ActionDeclaration, PipelineDefinition, StageDeclaration } from './definition.ts';
import { actionError, stageError, structureError, type Finding } from './finding.ts';

/** Rules about stages and how artifacts flow between actions (CP 1.4: D-5 to D-8). */
export function structureFindings(definition: PipelineDefinition): Finding[] {
  return [
    ...sourceFindings(definition),
    ...nameFindings(definition),
    ...artifactFindings(definition),
    ...storeFindings(definition),
  ];
}

const fewestStages = 2;
const mostStages = 50;
/** The service's page names 50 and 100; the larger is taken (CP 1.5). */
const mostActionsInStage = 100;
const mostActions = 1000;

/** Quotas of stages and actions (CP-D-4, CP 1.5). */
export function countFindings({ stages }: PipelineDefinition): Finding[] {
  const found: Finding[] = [];
  if (stages.length < fewestStages) {
    const message = `Pipeline has only ${stages.length} stage(s). There should be a minimum of 2 stages in a pipeline`;
    found.push(structureError(['stages'], 'D-4', message, 'Add a stage after the source stage.'));
  }
  if (stages.length > mostStages) {
    const message = `Pipeline has ${stages.length} stages. There should be a maximum of ${mostStages} stages in a pipeline`;
    found.push(structureError(['stages'], 'D-4', message, 'Join stages or split the pipeline.'));
  }
  const actions = stages.reduce((sum, stage) => sum + stage.actions.length, 0);
  if (actions > mostActions) {
    const message = `Pipeline has ${actions} actions. There should be a maximum of ${mostActions} actions in a pipeline`;
    found.push(structureError(['stages'], 'D-4', message, 'Split the pipeline.'));
  }
  for (const [index, stage] of stages.entries()) {
    if (stage.actions.length <= mostActionsInStage) continue;
    const message = `Stage ${stage.name} has ${stage.actions.length} actions. There should be a maximum of ${mostActionsInStage}`;
    found.push(stageError(['stages', index, 'actions'], 'D-4', message, 'Spread them over several stages.'));
  }
  return found;
}

/**
 * What may be looked at in full: other rules compare each action with all others, so that a file of a megabyte would
 * hold the server for a minute (SEC-D-14).
 */
export function withinQuotas(definition: PipelineDefinition): PipelineDefinition {
  let left = mostActions;
  const stages = definition.stages.slice(0, mostStages).map((stage) => {
    const actions = stage.actions.slice(0, Math.min(left, mostActionsInStage));
    left -= actions.length;
    return { ...stage, actions };
  });
  return { ...definition, stages };
}

const startsWithSource = 'Pipeline should start with a stage that only contains source actions';

function sourceFindings({ stages }: PipelineDefinition): Finding[] {
  const found = eachAction(stages).flatMap(({ action, path, stageIndex }) => {
    const isSource = action.actionTypeId.category === 'Source';
    if (isSource === (stageIndex === 0)) return [];
    const mend = isSource ? 'Move the source action into the first stage.' : 'Move this action into a later stage.';
    return [structureError([...path, 'actionTypeId', 'category'], 'D-5', startsWithSource, mend)];
  });
  const isOnlySource = eachAction(stages).every(({ action }) => action.actionTypeId.category === 'Source');
  if (isOnlySource && stages.length >= fewestStages) {
    const message = 'Pipeline should contain at least one action that is not a source action';
    found.push(structureError(['stages'], 'D-5', message, 'Add a build, test, deploy or approval action.'));
  }
  return found;
}

function nameFindings({ stages }: PipelineDefinition): Finding[] {
  const twice = repeats(stages.map((stage) => stage.name)).map((index) => {
    const name = stages[index]?.name ?? '';
    const message = `Stage name '${name}' is used more than once in the pipeline`;
    return structureError(['stages', index, 'name'], 'D-6', message, 'Give each stage its own name.');
  });
  const actions = stages.flatMap((stage, stageIndex) =>
    repeats(stage.actions.map((action) => action.name)).map((index) => {
      const message = `Action name '${stage.actions[index]?.name ?? ''}' is used more than once in stage '${stage.name}'`;
      const path = ['stages', stageIndex, 'actions', index, 'name'];
      return stageError(path, 'D-6', message, 'Give each action of a stage its own name.');
    }),
  );
  // Books are kept by stage name; this one is no key for a plain object.
  const unusable = stages.flatMap(({ name }, index) => {
    if (name !== '__proto__') return [];
    const message = "Stage name '__proto__' cannot be used";
    return [structureError(['stages', index, 'name'], 'D-6', message, 'Choose another name.')];
  });
  return [...twice, ...unusable, ...actions];
}

function artifactFindings({ stages }: PipelineDefinition): Finding[] {
  const all = eachAction(stages);
  const producers = new Map<string, Placed>();
  const found: Finding[] = [];
  for (const placed of all) {
    for (const [index, artifact] of placed.action.outputArtifacts.entries()) {
      const other = producers.get(artifact.name);
      if (!other) {
        producers.set(artifact.name, placed);
        continue;
      }
      const message = `Output artifact '${artifact.name}' of action '${placed.action.name}' is already the output of action '${other.action.name}'`;
      const path = [...placed.path, 'outputArtifacts', index, 'name'];
      found.push(actionError(path, 'D-7', message, 'Give each output artifact its own name in the pipeline.'));
    }
  }
  return [...found, ...all.flatMap((placed) => inputFindings(placed, producers))];
}

function inputFindings(placed: Placed, producers: ReadonlyMap<string, Placed>): Finding[] {
  return placed.action.inputArtifacts.flatMap((artifact, index) => {
    const producer = producers.get(artifact.name);
    if (producer && isBefore(producer, placed)) return [];
    const message = producer
      ? `Input artifact '${artifact.name}' of action '${placed.action.name}' is made by action '${producer.action.name}', which does not run before it`
      : `Input artifact '${artifact.name}' of action '${placed.action.name}' is not the output of any action`;
    const names = [...producers].filter(([, other]) => isBefore(other, placed)).map(([name]) => name);
    const mend = names.length > 0 ? `Use one of ${names.join(', ')}.` : 'Let an earlier action put it out.';
    const found = actionError([...placed.path, 'inputArtifacts', index, 'name'], 'D-8', message, mend);
    return [producer ? { ...found, turnsOn: 'order' } : found];
  });
}

/** Exactly one of the two stores; other regions need `artifactStores` with each of them (CP 1.2). */
function storeFindings(definition: PipelineDefinition): Finding[] {
  const { artifactStore, artifactStores, stages } = definition;
  if ((artifactStore === undefined) === (artifactStores === undefined)) {
    const message = 'A pipeline must have exactly one of artifactStore and artifactStores';
    const mend = artifactStore ? 'Leave out one of the two.' : 'Add artifactStore: {type: S3, location: <bucket>}.';
    return [structureError([artifactStore ? 'artifactStore' : ''], '1.2', message, mend)];
  }
  if (artifactStores && Object.keys(artifactStores).length === 0) {
    const message = 'artifactStores names no store';
    return [structureError(['artifactStores'], '1.2', message, 'Add one for each region, the own one included.')];
  }
  const home = ownRegion(stages);
  return eachAction(stages).flatMap(({ action, path }) => {
    const { region } = action;
    if (region === undefined || (region !== home && isBoundToHome(action))) return [];
    if (artifactStores ? Object.hasOwn(artifactStores, region) : region === home) return [];
    const message = `Action '${action.name}' runs in region '${region}', for which the pipeline has no artifact store`;
    return [actionError([...path, 'region'], '1.2', message, `Use artifactStores, with an entry for ${region}.`)];
  });
}

/** Runs in the region of the pipeline only (CP 1.2). */
export function isBoundToHome({ actionTypeId: { category, owner } }: ActionDeclaration): boolean {
  return category === 'Source' || category === 'Approval' || owner !== 'AWS';
}

/**
 * The region of the pipeline itself, as far as its actions tell: source, third-party and custom actions run nowhere
 * else, and `get-pipeline` prints it with every action. Undefined when no action names a region.
 */
export function ownRegion(stages: readonly StageDeclaration[]): string | undefined {
  const named = eachAction(stages).flatMap(({ action }) => (action.region === undefined ? [] : [action]));
  const bound = named.find(({ actionTypeId: { category, owner } }) => category === 'Source' || owner !== 'AWS');
  return (bound ?? named[0])?.region;
}

export interface Placed {
  readonly action: ActionDeclaration;
  readonly stage: StageDeclaration;
  readonly stageIndex: number;
  readonly path: readonly (string | number)[];
}

export function eachAction(stages: readonly StageDeclaration[]): Placed[] {
  return stages.flatMap((stage, stageIndex) =>
    stage.actions.map((action, index) => ({
      action,
      stage,
      stageIndex,
      path: ['stages', stageIndex, 'actions', index],
    })),
  );
}

/** In an earlier stage, or in the same one with a strictly lower runOrder. */
export function isBefore(first: Placed, second: Placed): boolean {
  if (first.stageIndex !== second.stageIndex) return first.stageIndex < second.stageIndex;
  return first.action.runOrder < second.action.runOrder;
}

/** The places of all values that stood in the list before. */
export function repeats(values: readonly string[]): number[] {
  const seen = new Set<string>();
  return values.flatMap((value, index) => {
    if (seen.has(value)) return [index];
    seen.add(value);
    return [];
  });
}
