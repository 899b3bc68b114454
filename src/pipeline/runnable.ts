import { actionTypeName, actionTypeOf } from './action-types.ts';
import type { ActionTypeId, PipelineDefinition } from './definition.ts';

/** Types that are not `native` and can be run all the same, here and for this pipeline. */
export type AlsoRuns = (type: ActionTypeId) => boolean;

/**
 * What the embedded engine says of a declaration with an action that it cannot run, so that nothing of the pipeline
 * runs first (CP-P-6); undefined when it can run all of them.
 */
export function notRunnable({ stages }: PipelineDefinition, alsoRuns: AlsoRuns): string | undefined {
  for (const { actions } of stages) {
    for (const { name, actionTypeId, region = 'us-east-1' } of actions) {
      const type = actionTypeOf(actionTypeId);
      if (type?.tier === 'native' || alsoRuns(actionTypeId)) continue;
      const place = region.toUpperCase().replaceAll('-', '_');
      const reason = type?.tier === 'granted' ? granted : delegated;
      return `${actionTypeName(actionTypeId)} in action '${name}' is not available in region '${place}'. ${reason}`;
    }
  }
  return undefined;
}

const granted = 'The operator allows functions for this repository in penstock.server.yml, under embedded.aws.';
const delegated = 'The embedded engine does not run it: use the AWS engine for this pipeline, or another provider.';
