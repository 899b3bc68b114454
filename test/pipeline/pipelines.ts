import { digestOf } from '../../src/pipeline/digest.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { formatProblem } from '../../src/pipeline/problem.ts';
import { readDeclarationValue } from '../../src/pipeline/read-definition.ts';

/**
 * A pipeline in a few words. Actions of a stage: `App`, `Approve!` (an approval), `Late@2` (runOrder 2).
 * The first stage holds sources; everything else runs commands on the first source.
 */
export interface PipelineSpec {
  readonly name?: string;
  readonly mode?: string;
  readonly variables?: readonly unknown[];
  readonly triggers?: readonly unknown[];
  readonly stages: Readonly<Record<string, readonly string[]>>;
  /** Merged into the stages: `beforeEntry`, `onSuccess`, `onFailure`. */
  readonly conditions?: Readonly<Record<string, object>>;
  /** Merged into actions, by `Stage/Action`. */
  readonly actions?: Readonly<Record<string, object>>;
}

export interface BuiltPipeline {
  readonly definition: PipelineDefinition;
  readonly digest: string;
}

export function pipeline(spec: PipelineSpec): BuiltPipeline {
  const read = readDeclarationValue(declarationOf(spec), () => ({ line: 1, column: 1 }), 'pipeline', { inline: true });
  if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'));
  return { definition: read.definition, digest: digestOf(read.definition) };
}

export function declarationOf(spec: PipelineSpec): Record<string, unknown> {
  return {
    name: spec.name ?? 'web',
    executionMode: spec.mode ?? 'SUPERSEDED',
    pipelineType: 'V2',
    ...(spec.variables && { variables: spec.variables }),
    ...(spec.triggers && { triggers: spec.triggers }),
    stages: Object.entries(spec.stages).map(([name, actions], index) => ({
      name,
      actions: actions.map((text) => ({ ...actionOf(text, index), ...spec.actions?.[`${name}/${plainName(text)}`] })),
      ...spec.conditions?.[name],
    })),
  };
}

function plainName(text: string): string {
  return text.replace(/!?(@\d+)?$/, '');
}

function actionOf(text: string, stageIndex: number): Record<string, unknown> {
  const name = plainName(text);
  const runOrder = Number(/@(\d+)$/.exec(text)?.[1] ?? 1);
  const aws = (category: string, provider: string) => ({
    name,
    runOrder,
    actionTypeId: { category, owner: 'AWS', provider, version: '1' },
  });
  if (text.includes('!')) return aws('Approval', 'Manual');
  if (stageIndex > 0) {
    return { ...aws('Compute', 'Commands'), commands: ['make'], inputArtifacts: [{ name: 'App' }] };
  }
  const configuration = { ConnectionArn: 'arn', FullRepositoryId: 'acme/web', BranchName: 'main' };
  return { ...aws('Source', 'CodeStarSourceConnection'), configuration, outputArtifacts: [{ name }] };
}
