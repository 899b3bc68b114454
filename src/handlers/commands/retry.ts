import type { Command } from '../../commands/command.ts';
import type { ExecutionRecord } from '../../db/executions.ts';
import { stageStatus } from '../../pipeline/status.ts';
import { ticked } from '../../render/markdown.ts';
import type { Answer, Asked, CommandDeps } from '../asked.ts';
import { definitionOf, done, newestPerPipeline, prefixOf, refused } from '../asked.ts';
import { whyOver } from './why-over.ts';

interface Retryable {
  readonly record: ExecutionRecord;
  readonly stage: string;
}

/** Runs failed or stopped stages of the newest executions again, on the same commit (CP-X-39 to X-48). */
export async function retry(
  deps: CommandDeps,
  asked: Asked,
  command: Extract<Command, { verb: 'retry' }>,
): Promise<Answer> {
  const known = newestPerPipeline(asked, command.target.pipeline);
  if (known.length === 0) return refused(nothingRan(asked, command.target.pipeline));
  const before = askedBefore(asked);
  const candidates = known.filter((record) => whyOver(asked, record) === undefined);
  const [over] = known.flatMap((record) => whyOver(asked, record) ?? []);
  if (over !== undefined && candidates.length === 0 && before.length === 0) return refused(over);
  const now = candidates.flatMap((record) => retryable(asked, record, command.target.stage));
  const stages = [...before, ...now.filter((one) => !before.some((other) => isSame(one, other)))];
  if (stages.length === 0) return refused(nothingToRetry(asked, candidates));
  const refusals: string[] = [];
  for (const { record, stage } of stages) {
    const { lane, id } = record.execution;
    const mode = command.all ? 'ALL_ACTIONS' : 'FAILED_ACTIONS';
    const obeyed = await deps.engine.obey({ kind: 'retry', lane, execution: id, stage, mode }, asked.by);
    if (obeyed.outcome === 'refused')
      refusals.push(`\`${record.execution.pipeline}/${stage}\`: ${ticked(obeyed.refusal.message, 2000)}`);
  }
  return refusals.length === stages.length ? refused(refusals.join('\n')) : done(refusals.join('\n') || undefined);
}

function askedBefore({ earlier = [], records }: Asked): readonly Retryable[] {
  return earlier.flatMap((command): Retryable[] => {
    const record = records.find(({ execution }) => command.kind === 'retry' && execution.id === command.execution);
    return record && command.kind === 'retry' ? [{ record, stage: command.stage }] : [];
  });
}

function isSame(a: Retryable, b: Retryable): boolean {
  return a.stage === b.stage && a.record.execution.id === b.record.execution.id;
}

function retryable(asked: Asked, record: ExecutionRecord, wanted: string | undefined): Retryable[] {
  const definition = definitionOf(asked, record);
  return record.execution.stages
    .filter((run) => wanted === undefined || run.stage === wanted)
    .filter((run) => {
      const status = stageStatus(run, record.execution, definition);
      return wanted !== undefined || status === 'Failed' || status === 'Stopped';
    })
    .map((run) => ({ record, stage: run.stage }));
}

function nothingRan(asked: Asked, pipeline: string | undefined): string {
  const prefix = prefixOf(asked);
  return pipeline === undefined
    ? `No pipeline ran here yet. \`${prefix}status\` says why.`
    : `Pipeline \`${pipeline}\` did not run here. \`${prefix}status\` says why.`;
}

function nothingToRetry(asked: Asked, candidates: readonly ExecutionRecord[]): string {
  const states = candidates.map((record) => `\`${record.execution.pipeline}\` is ${record.status}`).join(', ');
  return `Only a failed or stopped stage can be retried; ${states}. \`${prefixOf(asked)}rerun\` runs the whole pipeline again on the same commit.`;
}
