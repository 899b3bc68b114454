import type { ActionDeclaration, Condition, PipelineDefinition, StageDeclaration } from './definition.ts';
import { actionError, structureError, warning, type Finding, type Path } from './finding.ts';
import { eachAction, isBefore, repeats, type Placed } from './structure-checks.ts';
import { malformedReferences, variableReferences } from './variables.ts';

/** Rules about variables and namespaces (CP 1.4: D-13 to D-16). */
export function variableFindings(definition: PipelineDefinition): Finding[] {
  const all = eachAction(definition.stages);
  return [
    ...nameFindings(definition),
    ...namespaceFindings(definition),
    ...all.flatMap((placed) => actionReferences(definition, placed, all)),
    ...definition.stages.flatMap((stage, index) => ruleReferences(definition, stage, index)),
  ];
}

/** Namespaces that no action has to declare; `pr` is Penstock's own (CP-P-3). */
const reserved = ['codepipeline', 'pr'];

function nameFindings({ variables }: PipelineDefinition): Finding[] {
  return repeats(variables.map((variable) => variable.name)).map((index) => {
    const name = variables[index]?.name ?? '';
    const message = `Variable names must be unique. The following variable name is already in use: ${name}`;
    return structureError(['variables', index, 'name'], 'D-16', message, 'Rename one of the two.');
  });
}

function namespaceFindings({ stages, variables }: PipelineDefinition): Finding[] {
  const declaring = eachAction(stages).filter(({ action }) => action.namespace !== undefined);
  const artifacts = new Set(stages.flatMap((stage) => stage.actions.flatMap(outputNames)));
  const twice = repeats(declaring.map(({ action }) => action.namespace ?? '')).flatMap((index) => {
    const placed = declaring[index];
    if (!placed) return [];
    const message =
      'Namespaces must be unique across the pipeline definition. The following occur more than once in the pipeline. ' +
      `StageName=[${placed.stage.name}], ActionName=[${placed.action.name}], Namespace=[${placed.action.namespace}]`;
    return [actionError([...placed.path, 'namespace'], 'D-13', message, 'Give each action its own namespace.')];
  });
  const taken = declaring.flatMap(({ action, path }) => {
    const name = action.namespace ?? '';
    const isReserved = name === 'codepipeline' || (name === 'variables' && variables.length > 0);
    if (!isReserved && !artifacts.has(name)) return [];
    const what = isReserved ? 'is reserved' : 'is also the name of an artifact';
    const message = `Namespace '${name}' of action '${action.name}' ${what}`;
    return [actionError([...path, 'namespace'], isReserved ? 'V-2' : 'D-13', message, 'Choose another namespace.')];
  });
  return [...twice, ...taken];
}

function outputNames(action: ActionDeclaration): string[] {
  return action.outputArtifacts.map((artifact) => artifact.name);
}

interface Text {
  readonly path: Path;
  readonly key: string;
  readonly value: string;
}

function actionReferences(definition: PipelineDefinition, placed: Placed, all: readonly Placed[]): Finding[] {
  const { stage, action, path } = placed;
  const texts = textsOf(action, path).filter(({ value }) => value.includes('#{'));
  if (texts.length === 0) return [];
  const known = namespacesOf(all.filter((other) => other.action.namespace !== undefined && isBefore(other, placed)));
  const place = `StageName=[${stage.name}], ActionName=[${action.name}]`;
  return texts.flatMap((text) => textFindings(definition, text, known, place, placed));
}

/** Before entry, only what earlier stages put out is there; afterwards also what the stage's own actions did. */
function ruleReferences(definition: PipelineDefinition, stage: StageDeclaration, index: number): Finding[] {
  const kinds = ['beforeEntry', 'onSuccess', 'onFailure'] as const;
  return kinds.flatMap((kind) => {
    const reach = kind === 'beforeEntry' ? index - 1 : index;
    const known = namespacesOf(eachAction(definition.stages).filter((placed) => placed.stageIndex <= reach));
    const conditions: readonly Condition[] = stage[kind]?.conditions ?? [];
    return conditions.flatMap((condition, at) =>
      condition.rules.flatMap((rule, ruleAt) => {
        const path = ['stages', index, kind, 'conditions', at, 'rules', ruleAt];
        const place = `StageName=[${stage.name}], RuleName=[${rule.name}]`;
        return textsOf(rule, path).flatMap((text) => textFindings(definition, text, known, place));
      }),
    );
  });
}

/** Where a reference may stand (CP-V-5). */
function textsOf(
  holder: Pick<ActionDeclaration, 'configuration' | 'commands'> & Partial<ActionDeclaration>,
  path: Path,
): Text[] {
  const configuration = Object.entries(holder.configuration);
  return [
    ...configuration.map(([key, value]) => ({ path: [...path, 'configuration', key], key, value })),
    ...holder.commands.map((value, at) => ({ path: [...path, 'commands', at], key: 'commands', value })),
    ...(holder.environmentVariables ?? []).map(({ name, value }, at) => ({
      path: [...path, 'environmentVariables', at],
      key: name,
      value,
    })),
  ];
}

function namespacesOf(actions: readonly Placed[]): Set<string> {
  return new Set(actions.flatMap(({ action }) => action.namespace ?? []));
}

function textFindings(
  definition: PipelineDefinition,
  { path, key, value }: Text,
  declared: ReadonlySet<string>,
  place: string,
  placed?: Placed,
): Finding[] {
  const isPipelineLevel = (namespace: string) => namespace === 'variables' && !declared.has(namespace);
  const references = variableReferences(value).flatMap(({ text, namespace, key: name }): Finding[] => {
    const at = `${place}, ActionConfigurationKey=[${key}], VariableReferenceText=[${text}]`;
    if (isPipelineLevel(namespace) && placed?.action.actionTypeId.category === 'Source') {
      const message = `Variables at the pipeline level cannot be used in source actions.\n${at}`;
      return [actionError(path, 'D-15', message, 'Write the value itself.')];
    }
    if (isPipelineLevel(namespace) && definition.variables.length > 0) return undeclared(definition, path, name, text);
    if (namespace === 'codepipeline' && name !== 'PipelineExecutionId') return [unknownOwnKey(path, text)];
    if (declared.has(namespace) || reserved.includes(namespace)) return [];
    const message =
      'Valid format for a pipeline execution variable reference is a namespace and a key separated by a period (.). ' +
      'The following pipeline execution variables are referencing a namespace that does not exist.\n' +
      at;
    const known = [...declared, ...reserved].join(', ');
    const mend = isPipelineLevel(namespace)
      ? `Declare ${name} under variables.`
      : `Declare the namespace on an earlier action; known here: ${known}.`;
    const found = actionError(path, 'D-14', message, mend);
    const isElsewhere = eachAction(definition.stages).some(({ action }) => action.namespace === namespace);
    return [isElsewhere ? { ...found, turnsOn: 'order' } : found];
  });
  const odd = malformedReferences(value).map((text) =>
    warning(path, 'D-14', `${text} is not a reference to a variable and stays as it is`, 'Write #{namespace.key}.'),
  );
  return [...references, ...(key === 'commands' ? [] : odd)];
}

/** CP-V-2. */
function unknownOwnKey(path: Path, text: string): Finding {
  const message = `${text} names nothing: the namespace codepipeline has only PipelineExecutionId, so the action will fail`;
  return warning(path, 'V-6', message, 'Write #{codepipeline.PipelineExecutionId}.');
}

function undeclared({ variables }: PipelineDefinition, path: Path, name: string, text: string): Finding[] {
  if (variables.some((variable) => variable.name === name)) return [];
  const message = `${text} names a pipeline variable that is not declared, so the action will fail`;
  return [warning(path, 'V-6', message, `Declare ${name} under variables.`)];
}
