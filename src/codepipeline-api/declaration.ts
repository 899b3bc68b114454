import type {
  ActionDeclaration as WireAction,
  Condition as WireCondition,
  PipelineDeclaration,
  StageDeclaration as WireStage,
} from '@aws-sdk/client-codepipeline';
import { findCustomActionType } from '../db/custom-action-types.ts';
import type {
  ActionDeclaration,
  Condition,
  PipelineDefinition,
  RuleDeclaration,
  StageDeclaration,
} from '../pipeline/definition.ts';
import { unavailable } from '../pipeline/action-types.ts';
import type { Problem } from '../pipeline/problem.ts';
import { readDeclarationValue } from '../pipeline/read-definition.ts';
import { customActionProblem } from '../engine/embedded/custom-type-checks.ts';
import { ApiError, validationError } from './api-error.ts';
import type { Door } from './door.ts';

/** Between a declaration on the wire and our own definition. */

/** Throws the exception of the first broken rule (CP 1.3). `version` is the service's, whatever the caller sent. */
export async function definitionFrom(
  { db, region }: Pick<Door, 'db' | 'region'>,
  declared: unknown,
  version: number,
): Promise<PipelineDefinition> {
  const read = readDeclarationValue(declared, () => ({ line: 1, column: 1 }), 'pipeline', { region });
  if (!read.ok) {
    const errors = read.problems.filter((problem) => problem.severity === 'error');
    const shape = errors.filter((problem) => problem.exception === 'ValidationException');
    if (shape.length > 0) throw validationError(shape.map((problem) => problem.message));
    const [first] = errors.toSorted((a, b) => rankOf(a) - rankOf(b));
    throw new ApiError(
      first?.exception ?? 'InvalidStructureException',
      first?.message ?? 'The declaration is not valid.',
    );
  }
  const definition = { ...read.definition, version };
  for (const { actions } of definition.stages) for (const action of actions) await checkCustomType(db, region, action);
  return definition;
}

/** Structure, then stages, then actions (CP 1.3). */
const ranks = ['InvalidStructureException', 'InvalidStageDeclarationException', 'InvalidActionDeclarationException'];

function rankOf({ exception = '' }: Problem): number {
  return ranks.indexOf(exception);
}

/** Types of owner Custom have to be registered (CP-D-12), and are used as they were registered. */
async function checkCustomType(db: Door['db'], region: string, action: ActionDeclaration): Promise<void> {
  if (action.actionTypeId.owner !== 'Custom') return;
  const found = await findCustomActionType(db, action.actionTypeId);
  const isKnown = found !== null && !found.deleted;
  const problem = isKnown ? customActionProblem(found.declaration, action) : unavailable(action, region);
  if (problem !== undefined) throw new ApiError('InvalidActionDeclarationException', problem);
}

/** With the defaults that the service echoes, without those that it does not (CP-D-1). */
export function declarationOf(definition: PipelineDefinition): PipelineDeclaration {
  const { name, roleArn, version, pipelineType, executionMode, variables, triggers } = definition;
  const { artifactStore, artifactStores } = definition;
  return {
    name,
    roleArn,
    ...(artifactStore && { artifactStore }),
    ...(artifactStores && { artifactStores: { ...artifactStores } }),
    stages: definition.stages.map(stageOf),
    version,
    executionMode,
    pipelineType,
    ...(variables.length > 0 && { variables: [...variables] }),
    // Readonly lists of ours are lists of the SDK all the same.
    ...(triggers.length > 0 && { triggers: structuredClone(triggers) as NonNullable<PipelineDeclaration['triggers']> }),
  };
}

function stageOf({ name, blockers, actions, beforeEntry, onSuccess, onFailure }: StageDeclaration): WireStage {
  return {
    name,
    ...(blockers.length > 0 && { blockers: [...blockers] }),
    actions: actions.map(actionOf),
    ...(beforeEntry && { beforeEntry: { conditions: beforeEntry.conditions.map(conditionOf) } }),
    ...(onSuccess && { onSuccess: { conditions: onSuccess.conditions.map(conditionOf) } }),
    ...(onFailure && {
      onFailure: {
        ...(onFailure.result && { result: onFailure.result }),
        ...(onFailure.retryConfiguration && { retryConfiguration: onFailure.retryConfiguration }),
        ...(onFailure.conditions && { conditions: onFailure.conditions.map(conditionOf) }),
      },
    }),
  };
}

function actionOf(action: ActionDeclaration): WireAction {
  const { commands, environmentVariables, outputVariables, inputArtifacts, outputArtifacts, ...rest } = action;
  return {
    ...rest,
    configuration: { ...rest.configuration },
    ...(commands.length > 0 && { commands: [...commands] }),
    ...(environmentVariables.length > 0 && { environmentVariables: [...environmentVariables] }),
    ...(outputVariables.length > 0 && { outputVariables: [...outputVariables] }),
    inputArtifacts: [...inputArtifacts],
    outputArtifacts: outputArtifacts.map(({ name, files }) => ({ name, ...(files && { files: [...files] }) })),
  };
}

function conditionOf({ result, rules }: Condition): WireCondition {
  return { ...(result && { result }), rules: rules.map(ruleOf) };
}

function ruleOf({ commands, inputArtifacts, configuration, ...rest }: RuleDeclaration) {
  return {
    ...rest,
    configuration: { ...configuration },
    ...(commands.length > 0 && { commands: [...commands] }),
    inputArtifacts: [...inputArtifacts],
  };
}
