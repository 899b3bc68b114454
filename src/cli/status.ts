import { parseArgs } from 'node:util';
import type { ExecutionPageData } from '../web/page-data.ts';
import { lookOf, timeText } from '../web/words.ts';
import type { CliIo } from './command.ts';
import { openExecutions } from './executions-source.ts';

export async function runStatus(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
  const source = await openExecutions(io);
  try {
    const executions = await source.recent(20);
    if (values.json) {
      io.out(JSON.stringify({ process: source.process ?? null, executions }, null, 2));
      return 0;
    }
    const { process: running, home } = source;
    io.out(
      running === undefined
        ? `No Penstock runs with ${home}.`
        : `Penstock runs as process ${running.pid} since ${timeText(running.startedAt)}.`,
    );
    io.out(executions.length === 0 ? 'Nothing was started yet.' : table(executions));
    return 0;
  } finally {
    await source.close();
  }
}

function table(executions: readonly ExecutionPageData[]): string {
  const rows = executions.map((data) => [
    data.id.slice(0, 8),
    `${data.repository}${data.pullRequest === undefined ? '' : `#${data.pullRequest.number}`}`,
    data.pipeline,
    data.headSha.slice(0, 7),
    lookOf(statusOf(data)).label,
    timeText(data.startedAt),
  ]);
  const all = [['EXECUTION', 'REPOSITORY', 'PIPELINE', 'COMMIT', 'STATUS', 'STARTED'], ...rows];
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function statusOf(data: ExecutionPageData): string {
  const waits = data.stages.some((stage) => stage.actions.some(({ status }) => status === 'Waiting for approval'));
  return waits ? 'Waiting for approval' : data.status;
}
