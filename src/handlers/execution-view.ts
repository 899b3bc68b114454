import { listActionExecutions } from '../db/action-executions.ts';
import { auditOf, type AuditRow } from '../db/audit.ts';
import type { ExecutionRecord } from '../db/executions.ts';
import type { Deps } from '../deps.ts';
import type { Execution } from '../pipeline/execution.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { EarlierAttempt, ExecutionView, LogTail } from '../render/view.ts';
import { gateStories, isVerdict } from './gate-stories.ts';
import { laneView } from './lane-view.ts';
import { queueView } from './queue-view.ts';

export type ViewDeps = Pick<Deps, 'db' | 'github' | 'detailsUrl' | 'isolation' | 'logTail' | 'findings' | 'now'>;

/** Lines of a failed action's log that a check run shows. */
const tailLines = 50;

/** Gathers everything that the check runs of one execution are drawn from. */
export async function viewOf(
  deps: ViewDeps,
  record: ExecutionRecord,
  definition: PipelineDefinition,
): Promise<ExecutionView> {
  const { execution, context } = record;
  const rows = await auditOf(deps.db, execution.id);
  const earlier = (await earlierAttempts(deps, record)).map((attempt) => withAnswer(attempt, rows));
  return {
    pipeline: record.pipeline,
    execution,
    definition,
    headSha: context.headSha,
    detailsUrl: deps.detailsUrl(execution),
    cause: context.cause,
    startedBy: execution.startedBy,
    earlierAttempts: earlier,
    logTails: await logTails(deps, record),
    gates: await gateStories(deps, record, definition, rows),
    fork: context.fork,
    ...(context.ruleChanges ? { ruleChanges: context.ruleChanges } : {}),
    // Only what this server itself runs.
    ...(record.host.startsWith('aws:') ? {} : { isolation: deps.isolation }),
    annotations: await annotations(deps, record),
    ...(await toldByBuilds(deps, record.execution, earlier)),
    bareCommands: context.bareCommands,
    ...(context.pullRequest === undefined ? {} : { pullRequest: context.pullRequest }),
    ...(await laneView(deps.db, record, definition)),
    ...(await queueView(deps.db, record)),
  };
}

/** Finished attempts that are no longer the current ones, oldest first. */
export async function earlierAttempts(
  deps: Pick<Deps, 'db'>,
  record: ExecutionRecord,
): Promise<readonly EarlierAttempt[]> {
  const current = new Set(record.execution.stages.flatMap((stage) => stage.actions.map((run) => run.id as string)));
  const rows = await listActionExecutions(deps.db, record.execution.id);
  return rows
    .filter((row) => !current.has(row.id) && row.status !== 'InProgress')
    .map((row) => ({
      id: row.id,
      stage: row.stage,
      action: row.action,
      attempt: row.attempt,
      status: row.status as EarlierAttempt['status'],
      startedAt: row.startedAt.toISOString(),
      ...(row.endedAt ? { endedAt: row.endedAt.toISOString() } : {}),
      ...(row.output?.error ? { error: row.output.error } : {}),
    }));
}

/** The story of a gate that was asked anew: who said no, and why. */
function withAnswer(attempt: EarlierAttempt, rows: readonly AuditRow[]): EarlierAttempt {
  const row = rows.find(({ what, detail }) => what.startsWith('gate-') && detail['token'] === attempt.id);
  const { verdict } = row?.detail ?? {};
  if (attempt.error || attempt.status !== 'Failed' || !isVerdict(verdict)) return attempt;
  const [no] = verdict.counted.filter(({ answer }) => answer === 'reject');
  const message = no
    ? `rejected by ${no.person.login}${no.reason === '' ? '' : `: ${no.reason}`}`
    : 'nobody answered in time';
  return { ...attempt, error: { code: '', message } };
}

async function logTails(deps: ViewDeps, record: ExecutionRecord): Promise<Readonly<Record<string, LogTail>>> {
  const failed = record.execution.stages
    .flatMap((stage) => stage.actions)
    .filter((run) => run.status === 'Failed' || run.status === 'Abandoned');
  const tails = await Promise.all(
    failed.map(async (run) => [run.id, await deps.logTail(record.execution.id, run.id, tailLines)] as const),
  );
  return Object.fromEntries(tails.filter(([, tail]) => tail.lines.length > 0 || tail.note !== undefined));
}

/** Places in files that failed actions complained about, for the checks of their stages. */
async function annotations(deps: ViewDeps, record: ExecutionRecord): Promise<ExecutionView['annotations']> {
  const found: ExecutionView['annotations'][number][] = [];
  for (const stage of record.execution.stages) {
    for (const run of stage.actions) {
      if (run.status !== 'Failed') continue;
      const { findings } = await deps.findings(record.execution.id, run.id);
      for (const { line, column, ...finding } of findings) {
        const at = { startLine: line, endLine: line, ...(column === undefined ? {} : { startColumn: column }) };
        found.push({ ...finding, ...at, stage: stage.stage });
      }
    }
  }
  return found;
}

/** Tests and coverage of every attempt that has ended, and the phases of builds, also of those that run. */
export async function toldByBuilds(
  deps: Pick<Deps, 'findings'>,
  execution: Execution,
  earlier: readonly EarlierAttempt[],
): Promise<Pick<ExecutionView, 'reports' | 'phases'>> {
  const current = execution.stages.flatMap((stage) => stage.actions).filter(({ phase }) => phase !== 'waiting');
  const runs = execution.stages.flatMap((stage) => [...stage.actions, ...(stage.earlier ?? [])]);
  const told = (id: string) => runs.find((run) => run.id === id)?.story?.reports;
  const running = new Set<string>(current.filter(({ status }) => status === 'InProgress').map(({ id }) => id));
  const read = await Promise.all(
    [...current, ...earlier].map(async ({ id }) => ({ id, ...(await deps.findings(execution.id, id)) })),
  );
  const reports = read.flatMap(({ id, ...found }) => {
    const all = running.has(id) ? [] : (told(id) ?? found.reports);
    return all.length === 0 ? [] : [[id, all] as const];
  });
  const phases = read.flatMap((found) => (found.phases.length === 0 ? [] : [[found.id, found.phases] as const]));
  return { reports: Object.fromEntries(reports), phases: Object.fromEntries(phases) };
}
