import type { Command } from '../../commands/command.ts';
import { loadConfiguration } from '../../config/load.ts';
import type { ExecutionRecord } from '../../db/executions.ts';
import type { Answer, Asked, CommandDeps } from '../asked.ts';
import { definitionOf, done, newestPerPipeline, prefixOf, refused } from '../asked.ts';
import { startExecution } from '../start-execution.ts';
import { whyOver } from './why-over.ts';

/** A new execution of the same commit from the first stage, with the configuration that governed it. */
export async function rerun(
  deps: CommandDeps,
  asked: Asked,
  command: Extract<Command, { verb: 'rerun' }>,
): Promise<Answer> {
  // What an earlier try of this delivery started is not what the person meant.
  const records = asked.records.filter((record) => !isStartedBy(record, asked));
  const candidates = newestPerPipeline({ records }, command.target.pipeline);
  if (candidates.length === 0)
    return refused(
      `No pipeline ran here yet, so there is nothing to run again. \`${prefixOf(asked)}status\` says why.`,
    );
  const over = candidates.flatMap((record) => whyOver(asked, record) ?? []);
  const [why] = over;
  if (why !== undefined && over.length === candidates.length) return refused(why);
  for (const record of candidates) if (whyOver(asked, record) === undefined) await startAgain(deps, asked, record);
  return done(why);
}

function isStartedBy({ idempotencyKey }: ExecutionRecord, { source }: Asked): boolean {
  return idempotencyKey.startsWith('rerun/') && idempotencyKey.endsWith(`/${source}`);
}

/** The same commit, definition, policy and authors; only who asked is new. */
export async function startAgain(deps: CommandDeps, asked: Asked, record: ExecutionRecord): Promise<void> {
  const loaded = await loadConfiguration(deps.github, asked.repository, record.context.configSha);
  const pipeline =
    loaded.kind === 'ok' ? loaded.config.pipelines.find((one) => one.name === record.execution.pipeline) : undefined;
  if (!pipeline) throw new Error(`pipeline ${record.execution.pipeline} is gone from its own configuration`);
  await startExecution(deps, {
    repository: asked.repository,
    pipeline,
    definition: definitionOf(asked, record),
    lane: record.execution.lane,
    idempotencyKey: `rerun/${record.execution.id}/${asked.source}`,
    context: { ...record.context, cause: `re-run asked by ${asked.person.login}` },
    by: asked.by,
    trigger: { type: 'StartPipelineExecution', detail: `github:${asked.person.id}` },
    variables: record.execution.variables,
    reason: `re-run asked by ${asked.person.login}`,
  });
}
