import type {
  ExecutionTrigger,
  PipelineRollbackMetadata,
  SourceRevision as WireRevision,
} from '@aws-sdk/client-codepipeline';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Execution, SourceRevision } from '../pipeline/execution.ts';

/** Parts of an execution that several reads tell in the same words. */

export function triggerOf({ trigger }: Execution): ExecutionTrigger {
  return { triggerType: trigger.type, triggerDetail: trigger.detail.slice(0, 1024) };
}

/** Left out for a standard execution, as the service does (CP-X-68). */
export function typeOf({ type, rollbackTarget }: Execution): {
  executionType?: 'ROLLBACK';
  rollbackMetadata?: PipelineRollbackMetadata;
} {
  if (type !== 'ROLLBACK') return {};
  return {
    executionType: 'ROLLBACK',
    ...(rollbackTarget && { rollbackMetadata: { rollbackTargetPipelineExecutionId: rollbackTarget } }),
  };
}

export function statusSummaryOf({ ending, cancel, stop }: Execution): { statusSummary?: string } {
  switch (ending?.as) {
    case 'Failed':
      return { statusSummary: ending.summary };
    case 'Cancelled':
      return { statusSummary: ending.why };
    case 'Stopped':
      return ending.why === undefined ? {} : { statusSummary: ending.why };
    case 'Superseded':
      return {};
    case undefined:
      return cancel && !stop ? { statusSummary: cancel.why } : {};
    default:
      return ending satisfies never;
  }
}

/** Only what source actions really took: an override is no revision before its action is done (CP-X-72). */
export function takenRevisions(execution: Execution): readonly SourceRevision[] {
  if (execution.type === 'ROLLBACK') return execution.sourceRevisions;
  const done = new Set(
    execution.stages
      .flatMap((stage) => stage.actions)
      .filter(({ status }) => status === 'Succeeded')
      .map(({ action }) => action),
  );
  return execution.sourceRevisions.filter(({ actionName }) => done.has(actionName));
}

export function wireRevision({ actionName, revisionId, revisionSummary, revisionUrl }: SourceRevision): WireRevision {
  return {
    actionName,
    revisionId,
    ...(revisionSummary !== undefined && { revisionSummary }),
    ...(revisionUrl !== undefined && { revisionUrl }),
  };
}

/** The name under which a source action's revision is known to later actions. */
export function artifactNameOf(definition: PipelineDefinition, sourceAction: string): string {
  const action = definition.stages[0]?.actions.find(({ name }) => name === sourceAction);
  return action?.outputArtifacts[0]?.name ?? sourceAction;
}
