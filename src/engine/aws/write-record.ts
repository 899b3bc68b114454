import type { Transaction } from 'kysely';
import type { Database } from '../../db/database.ts';
import { findExecutionByKey } from '../../db/executions.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import type { ExecutionId, SourceRevision } from '../../pipeline/execution.ts';
import { executionIdFor } from '../../pipeline/ids.ts';
import type { StartRequest } from '../engine.ts';
import type { AwsExecution } from './aws-execution.ts';
import { hostOf, type Bound, type Ground } from './ground.ts';
import { insertAwsExecution, isTaken } from './records.ts';

/** A crash between the intent row and the call is made good by the row's own job after this time. */
const intentLookMs = 30_000;

interface Writing {
  readonly instead?: (trx: Transaction<Database>) => Promise<ExecutionId | undefined>;
  /** AWS runs it already. */
  readonly awsId?: string;
}

/** Puts an execution on record before anything is asked of AWS. Not fresh: there is one already, or another one instead. */
export async function writeRecord(
  ground: Ground,
  bound: Bound,
  request: StartRequest,
  { instead, awsId }: Writing,
): Promise<{ id: ExecutionId; fresh: boolean }> {
  const id = executionIdFor(request.idempotencyKey);
  const { definition, repositoryId, idempotencyKey, context } = request;
  const execution = bornExecution(id, request, ground.now().toISOString(), awsId);
  const birth = { execution, definition, repositoryId, idempotencyKey, host: hostOf(bound.target), context };
  const options = { afterMs: Math.max(intentLookMs, ground.pace.fastest), ...(instead ? { instead } : {}) };
  try {
    const written = await ground.db.transaction().execute((trx) => insertAwsExecution(trx, birth, options));
    return { id: written, fresh: written === id };
  } catch (error) {
    // The same intent, or the same execution of CodePipeline, written by another worker at the same moment.
    const known = await findExecutionByKey(ground.db, idempotencyKey);
    if (known) return { id: known.execution.id, fresh: false };
    if (awsId !== undefined && isTaken(error)) return { id, fresh: false };
    throw error;
  }
}

function bornExecution(
  id: ExecutionId,
  request: StartRequest,
  at: string,
  twin: string | undefined,
): Omit<AwsExecution, 'order' | 'definition'> {
  const { lane, pipeline, definition, trigger, sourceRevisions, variables, by } = request;
  return {
    id,
    lane,
    pipeline,
    mode: definition.executionMode,
    type: 'STANDARD',
    trigger,
    sourceRevisions: pinnable(definition, sourceRevisions),
    variables: variables.filter(({ name }) => definition.variables.some((declared) => declared.name === name)),
    startedAt: at,
    startedBy: by,
    updatedAt: at,
    stages: [],
    aws: { askedAt: at, ...(twin === undefined ? {} : { executionId: twin, adopted: true as const }) },
  };
}

/** Only source actions over a connection take the commit of a GitHub repository (CP-X-9). */
function pinnable(definition: PipelineDefinition, revisions: readonly SourceRevision[]): readonly SourceRevision[] {
  const overConnection = new Set(
    (definition.stages[0]?.actions ?? [])
      .filter((action) => action.actionTypeId.provider === 'CodeStarSourceConnection')
      .map((action) => action.name),
  );
  return revisions.filter((revision) => overConnection.has(revision.actionName));
}
