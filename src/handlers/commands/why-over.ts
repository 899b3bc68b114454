import type { ExecutionRecord } from '../../db/executions.ts';
import type { Asked } from '../asked.ts';
import { isPush } from '../gate-facts.ts';

/**
 * Why nothing of an execution runs again: its pull request is closed, or its commit is not the head any more (design
 * section 4, SEC-A-16). Undefined when it may. What a push started is over with nothing.
 */
export function whyOver(
  { pullRequest }: Pick<Asked, 'pullRequest'>,
  { context, execution, pipeline }: ExecutionRecord,
): string | undefined {
  if (!pullRequest || isPush({ execution })) return undefined;
  if (pullRequest.state === 'closed') return 'The pull request is closed, so nothing of it runs again.';
  if (pullRequest.headSha === context.headSha) return undefined;
  const prefix = context.bareCommands ? '/' : '/penstock ';
  const start = context.fork ? `ok-to-test ${pullRequest.headSha}` : `run ${pipeline}`;
  return (
    `\`${context.headSha.slice(0, 7)}\` is not the head of the pull request any more. ` +
    `To start the pipeline for \`${pullRequest.headSha.slice(0, 7)}\`, comment \`${prefix}${start}\`.`
  );
}
