import type { PipelineCommand } from '../pipeline/protocol.ts';
import { ApiError } from './api-error.ts';
import type { Call } from './door.ts';
import { operationFacts } from './shapes.ts';
import { actorOf } from './stored-pipeline.ts';

/**
 * Asks the engine, and answers a refusal with its exception. One that the model does not declare for this operation,
 * because our core tells more than AWS does, becomes `otherwise`.
 */
export async function obey(
  { door, caller }: Call,
  command: PipelineCommand,
  { operation, otherwise }: { readonly operation: string; readonly otherwise: string },
): Promise<void> {
  const obeyed = await door.engine.obey(command, actorOf(caller));
  if (obeyed.outcome === 'done') return;
  const { exception, message } = obeyed.refusal;
  const isDeclared = operationFacts(operation)?.errors.includes(exception) === true;
  throw new ApiError(isDeclared ? exception : otherwise, message);
}
