import type { Command, Target } from '../../commands/command.ts';
import { recentExecutions, type ExecutionRecord } from '../../db/executions.ts';
import { loadLane } from '../../db/lanes.ts';
import type { Obeyed } from '../../engine/engine.ts';
import { executionIdFor } from '../../pipeline/ids.ts';
import type { LaneKey } from '../../pipeline/execution.ts';
import { stageStatus } from '../../pipeline/status.ts';
import { ticked } from '../../render/markdown.ts';
import type { Answer, Asked, CommandDeps } from '../asked.ts';
import { definitionOf, done, newestPerPipeline, refused } from '../asked.ts';
import { whyOver } from './why-over.ts';

/** The stage that a command names, in the newest execution of its pipeline. */
type Named = { readonly record: ExecutionRecord; readonly stage: string } | { readonly problem: string };

function nameStage(asked: Asked, { pipeline, stage }: Target): Named {
  const candidates = newestPerPipeline(asked, pipeline);
  if (stage === undefined) return { problem: 'Name the stage as `pipeline/stage`.' };
  const having = candidates.filter((record) => definitionOf(asked, record).stages.some((one) => one.name === stage));
  const [record, second] = having;
  if (!record) return { problem: `No pipeline that ran here has a stage \`${stage}\`.` };
  if (second)
    return {
      problem: `Several pipelines have a stage \`${stage}\`: write \`${record.execution.pipeline}/${stage}\` or \`${second.execution.pipeline}/${stage}\`.`,
    };
  return { record, stage };
}

function answer(obeyed: Obeyed): Answer {
  return obeyed.outcome === 'done' ? done() : refused(ticked(obeyed.refusal.message, 2000));
}

/** Holds or releases a stage of the lane: nothing enters a held stage (CP-X-23 to X-29). */
export async function holdOrRelease(
  deps: CommandDeps,
  asked: Asked,
  command: Extract<Command, { verb: 'hold' | 'release' }>,
): Promise<Answer> {
  const named = nameStage(asked, command.target);
  if ('problem' in named) return refused(named.problem);
  const kind = command.verb === 'hold' ? 'disable-transition' : 'enable-transition';
  const { lane } = named.record.execution;
  const reason = command.reason === '' ? {} : { reason: command.reason };
  return answer(await deps.engine.obey({ kind, lane, stage: named.stage, transition: 'Inbound', ...reason }, asked.by));
}

/** Goes on although a condition was not met (CP-C-10). */
export async function override(
  deps: CommandDeps,
  asked: Asked,
  command: Extract<Command, { verb: 'override' }>,
): Promise<Answer> {
  const named = nameStage(asked, command.target);
  if ('problem' in named) return refused(named.problem);
  const before = asked.earlier?.find((one) => one.kind === 'override');
  if (before) return answer(await deps.engine.obey(before, asked.by));
  const over = whyOver(asked, named.record);
  if (over !== undefined) return refused(over);
  const { lane, id, stages } = named.record.execution;
  const ran = stages.find((run) => run.stage === named.stage);
  const condition = command.condition ?? (ran && ran.actions.length > 0 ? 'ON_SUCCESS' : 'BEFORE_ENTRY');
  return answer(
    await deps.engine.obey({ kind: 'override', lane, execution: id, stage: named.stage, condition }, asked.by),
  );
}

/** Runs one stage again with what an earlier successful execution put there (CP-X-51). */
export async function rollback(
  deps: CommandDeps,
  asked: Asked,
  command: Extract<Command, { verb: 'rollback' }>,
): Promise<Answer> {
  const named = nameStage(asked, command.target);
  if ('problem' in named) return refused(named.problem);
  const before = asked.earlier?.find((one) => one.kind === 'rollback');
  if (before) return answer(await deps.engine.obey(before, asked.by));
  const over = whyOver(asked, named.record);
  if (over !== undefined) return refused(over);
  const { lane } = named.record.execution;
  const target = await rollbackTarget(deps, asked, { lane, stage: named.stage, wanted: command.execution });
  if (!target) {
    return refused(
      `No earlier execution of \`${named.record.execution.pipeline}\` succeeded in \`${named.stage}\`${command.execution ? ` with an id that begins with \`${command.execution}\`` : ''}.`,
    );
  }
  const execution = executionIdFor(`rollback/${lane}/${named.stage}/${target}/${asked.source}`);
  return answer(await deps.engine.obey({ kind: 'rollback', lane, stage: named.stage, execution, target }, asked.by));
}

async function rollbackTarget(
  deps: CommandDeps,
  asked: Asked,
  wanted: { readonly lane: LaneKey; readonly stage: string; readonly wanted: string | undefined },
): Promise<ExecutionRecord['execution']['id'] | undefined> {
  const lane = await loadLane(deps.db, wanted.lane);
  const recent = await recentExecutions(deps.db, { lane: wanted.lane, limit: 50 });
  const entered = recent.find(({ execution }) => execution.stages.some((run) => run.stage === wanted.stage));
  // CodePipeline keeps the book of what it runs, so that the lane knows of none there.
  const latest = lane?.stages[wanted.stage]?.latestEntered ?? entered?.execution.id;
  const succeeded = recent.filter((record) => {
    const definition = asked.definitions[record.execution.definition];
    const run = record.execution.stages.find((one) => one.stage === wanted.stage);
    return definition && run && stageStatus(run, record.execution, definition) === 'Succeeded';
  });
  const chosen = wanted.wanted
    ? succeeded.find((record) => record.execution.id.startsWith(wanted.wanted ?? ''))
    : succeeded.find((record) => record.execution.id !== latest && record.execution.type === 'STANDARD');
  return chosen?.execution.id;
}
