import { hash } from 'node:crypto';
import type { ActionExecutionId, ExecutionId } from './execution.ts';

/** The UUID namespace of every id that the core makes. */
const namespace = Buffer.from('8d0b6a1e5c1f4b6f9d3a2f7c41e05b90', 'hex');

export function actionExecutionId(
  seed: string,
  execution: ExecutionId,
  stage: string,
  action: string,
  attempt: number,
): ActionExecutionId {
  return uuidV5(JSON.stringify([seed, execution, stage, action, attempt])) as ActionExecutionId;
}

export function ruleExecutionId(
  seed: string,
  execution: ExecutionId,
  stage: string,
  condition: string,
  rule: string,
  attempt: number,
): ActionExecutionId {
  return uuidV5(JSON.stringify([seed, execution, stage, condition, rule, attempt])) as ActionExecutionId;
}

/** Of an execution that the core itself starts: an automatic rollback. */
export function rollbackExecutionId(seed: string, failed: ExecutionId, stage: string, attempt: number): ExecutionId {
  return uuidV5(JSON.stringify([seed, failed, stage, attempt, 'rollback'])) as ExecutionId;
}

/** Of an execution that somebody asked for: the same intent is the same execution (docs/decisions/0013). */
export function executionIdFor(intent: string): ExecutionId {
  return uuidV5(JSON.stringify(['execution', intent])) as ExecutionId;
}

/** Of a state change that is told to others. */
export function stateEventId(parts: readonly (string | number)[]): string {
  return uuidV5(JSON.stringify(['event', ...parts]));
}

function uuidV5(name: string): string {
  const hex = hash('sha1', Buffer.concat([namespace, Buffer.from(name)]), 'hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
