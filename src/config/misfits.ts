import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Problem } from '../pipeline/problem.ts';
import { repositoryConfigPath } from './repository.ts';
import type { PipelineConfig } from './repository-types.ts';
import type { Locate } from './yaml-file.ts';

/** What .github/penstock.yml says about stages and gates that the definition does not have. */
export interface Misfits {
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * A policy for a gate that does not exist is an error and not a warning: with a name misspelt, the real gate would
 * fall back to the default policy without anybody noticing.
 */
export function misfits(pipeline: PipelineConfig, definition: PipelineDefinition, locateKey: Locate): Misfits {
  const at = (...path: readonly string[]) => ({
    file: repositoryConfigPath,
    ...locateKey(['pipelines', pipeline.name, ...path]),
    path: ['pipelines', pipeline.name, ...path].join('.'),
  });
  const gates = gatesOf(definition);
  const stages = definition.stages.map((stage) => stage.name);
  const unknownGates = Object.keys(pipeline.gates)
    .filter((gate) => !gates.includes(gate))
    .map((gate): Problem => ({
      severity: 'error',
      ...at('gates', gate),
      message: `The definition has no manual approval \`${gate}\`.`,
      mend: gates.length > 0 ? `Its approvals are ${gates.join(', ')}.` : 'It has none at all: remove this gate.',
    }));
  const unknownStages = pipeline.exclusive
    .filter((stage) => !stages.includes(stage))
    .map((stage): Problem => ({
      severity: 'error',
      ...at('exclusive'),
      message: `\`exclusive\` names the stage \`${stage}\`, which the definition does not have.`,
      mend: `Its stages are ${stages.join(', ')}.`,
    }));
  return { errors: [...unknownGates, ...unknownStages], warnings: unusedFilters(pipeline, definition, at('on')) };
}

function gatesOf(definition: PipelineDefinition): readonly string[] {
  return definition.stages.flatMap((stage) =>
    stage.actions
      .filter(({ actionTypeId }) => actionTypeId.category === 'Approval')
      .map((action) => `${stage.name}/${action.name}`),
  );
}

type Place = Pick<Problem, 'file' | 'line' | 'column' | 'path'>;

function unusedFilters(pipeline: PipelineConfig, definition: PipelineDefinition, place: Place): readonly Problem[] {
  if (!pipeline.on || definition.triggers.length === 0) return [];
  const message = "These filters are not used: the definition's own triggers decide.";
  return [{ severity: 'warning', ...place, message, mend: 'Remove `on:`, or the triggers of the definition.' }];
}
