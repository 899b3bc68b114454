import type { Command } from '../../commands/command.ts';
import { ticked } from '../../render/markdown.ts';
import type { Answer, Asked, CommandDeps } from '../asked.ts';
import { done, refused } from '../asked.ts';

/** Stops what runs: waiting for running actions to end, or abandoning them (CP-X-30 to X-38). */
export async function stop(
  deps: CommandDeps,
  asked: Asked,
  command: Extract<Command, { verb: 'stop' }>,
): Promise<Answer> {
  const { pipeline } = command.target;
  const before = (asked.earlier ?? []).flatMap((one) => (one.kind === 'stop' ? one.execution : []));
  const live = asked.records.filter(
    ({ live: runs, execution }) =>
      before.includes(execution.id) || (runs && (pipeline === undefined || execution.pipeline === pipeline)),
  );
  if (live.length === 0)
    return refused(`Nothing${pipeline ? ` of \`${pipeline}\`` : ''} runs here, so there is nothing to stop.`);
  const refusals: string[] = [];
  for (const record of live) {
    const { lane, id } = record.execution;
    const reason = command.reason === '' ? {} : { reason: command.reason.slice(0, 200) };
    const obeyed = await deps.engine.obey(
      { kind: 'stop', lane, execution: id, abandon: command.abandon, ...reason },
      asked.by,
    );
    if (obeyed.outcome === 'refused')
      refusals.push(`\`${record.execution.pipeline}\`: ${ticked(obeyed.refusal.message, 2000)}`);
  }
  return refusals.length === live.length ? refused(refusals.join('\n')) : done(refusals.join('\n') || undefined);
}
