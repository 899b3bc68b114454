import { createHash } from 'node:crypto';
import type { GetPipelineStateOutput, PipelineExecutionSummary, StageState } from '@aws-sdk/client-codepipeline';

/**
 * What the two reads that all executions of a pipeline share (ListPipelineExecutions, GetPipelineState) say of one of
 * them. While it stays the same nothing of it has moved, and its own reads are saved. Of the stages only the last one
 * that knows it counts: the ones before are done with it, and tell of others.
 */
export function fingerprintOf(summary: PipelineExecutionSummary, state: GetPipelineStateOutput): string {
  const { pipelineExecutionId: id = '', status, statusSummary, lastUpdateTime, sourceRevisions } = summary;
  const stage = state.stageStates?.findLast((one) => isAbout(one, id));
  const text = canonical({ status, statusSummary, lastUpdateTime, sourceRevisions, stage });
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

function isAbout({ latestExecution, inboundExecution, inboundExecutions = [] }: StageState, id: string): boolean {
  return [latestExecution, inboundExecution, ...inboundExecutions].some((one) => one?.pipelineExecutionId === id);
}

/** JSON with its keys in order: equal values, equal text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
