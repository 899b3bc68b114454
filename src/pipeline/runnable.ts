import { actionTypeOf, unavailable } from './action-types.ts';
import type { ActionTypeId, PipelineDefinition } from './definition.ts';

/** Types that are not `native` and can be run all the same, here and for this pipeline. */
export type AlsoRuns = (type: ActionTypeId) => boolean;

/**
 * What the embedded engine says of a declaration with an action that it cannot run, so that nothing of the pipeline
 * runs first (CP-P-6); undefined when it can run all of them.
 */
export function notRunnable({ stages }: PipelineDefinition, alsoRuns: AlsoRuns, home?: string): string | undefined {
  for (const { actions } of stages) {
    for (const action of actions) {
      const { actionTypeId } = action;
      const type = actionTypeOf(actionTypeId);
      if (type?.tier === 'native' || alsoRuns(actionTypeId)) continue;
      const reason = type?.tier === 'granted' ? granted : `${toRunOnAws} ${toRunHere(actionTypeId)}`;
      return `${unavailable(action, home)}. ${reason}`;
    }
  }
  return undefined;
}

const granted = 'The operator allows functions for this repository in penstock.server.yml, under embedded.aws.';

/** Marks what creating or starting the pipeline on the embedded engine is refused with. */
export const refusedAtStart = 'InvalidActionDeclarationException';

/** What to do about a type that only AWS runs. */
export const toRunOnAws =
  'To let AWS run this pipeline, write `engine: aws` for it in .github/penstock.yml and bind it under `bindings` in penstock.server.yml.';

/** What can take its place on the embedded engine. */
export function toRunHere({ category, provider }: ActionTypeId): string {
  switch (category) {
    case 'Source':
      return 'To run it here, take the source from CodeStarSourceConnection or S3.';
    case 'Deploy':
      return 'To run it here, deploy from a Commands or CodeBuild action.';
    case 'Build':
    case 'Test':
    case 'Compute':
      return 'To run it here, use Commands or CodeBuild.';
    case 'Invoke':
    case 'Approval':
      return `To run it here, call ${provider} from a Commands or CodeBuild action.`;
    default:
      return category satisfies never;
  }
}
