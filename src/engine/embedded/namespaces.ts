import type { ActionOutputs } from '../../db/action-executions.ts';
import type { ExecutionRecord } from '../../db/executions.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import type { Execution } from '../../pipeline/execution.ts';
import type { ActionOrigin, NamedArtifact } from '../../providers/provider.ts';

type Namespaces = Record<string, Record<string, string>>;

/** Everything that `#{namespace.key}` may name in this execution (CP-V-1 to V-3). */
export function namespacesOf(
  { execution, context }: ExecutionRecord,
  definition: PipelineDefinition,
  outputs: readonly ActionOutputs[],
): Namespaces {
  const named: Namespaces = {};
  for (const stage of definition.stages) {
    for (const action of stage.actions) {
      const output = outputs.findLast((one) => one.stage === stage.name && one.action === action.name);
      if (action.namespace && output) named[action.namespace] = { ...output.outputVariables };
    }
  }
  named['codepipeline'] = { PipelineExecutionId: execution.id };
  if (definition.variables.length > 0) {
    named['variables'] = Object.fromEntries(execution.variables.map((one) => [one.name, one.value]));
  }
  if (context.pullRequest !== undefined) {
    named['pr'] ??= { Number: String(context.pullRequest), Title: context.title ?? '', HeadSha: context.headSha };
  }
  return named;
}

/** A rollback runs one stage with the artifacts and variables of its target (CP-X-51). */
export function outputSources(execution: Execution): string[] {
  return execution.rollbackTarget ? [execution.rollbackTarget, execution.id] : [execution.id];
}

type Inputs =
  | { readonly ok: true; readonly artifacts: readonly NamedArtifact[] }
  | { readonly ok: false; readonly message: string };

/** Consumers take the newest successful producer's object of the same execution (CP-D-27). */
export function findInputs(names: readonly { readonly name: string }[], outputs: readonly ActionOutputs[]): Inputs {
  const artifacts: NamedArtifact[] = [];
  for (const { name } of names) {
    const found = outputs.flatMap((one) => one.outputArtifacts).findLast((one) => one.name === name);
    if (!found) return { ok: false, message: `Input artifact '${name}' was never written by an earlier action.` };
    artifacts.push(found);
  }
  return { ok: true, artifacts };
}

/** What an action or rule may know of the commit that it runs for. */
export function originOf({ context, execution }: ExecutionRecord): ActionOrigin {
  const branch = context.headBranch;
  const forPullRequest = execution.lane.includes('/pr-') && context.pullRequest !== undefined;
  return {
    headSha: context.headSha,
    ...(branch === undefined ? {} : { branch }),
    ...(forPullRequest && context.pullRequest !== undefined
      ? { pullRequest: { number: context.pullRequest, title: context.title ?? '', baseRef: context.baseRef ?? '' } }
      : {}),
  };
}
