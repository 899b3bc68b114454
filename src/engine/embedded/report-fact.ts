import type { ActionOutput } from '../../db/engine-tables.ts';
import type { Actor } from '../../pipeline/execution.ts';
import type { Fact } from '../../pipeline/fact.ts';
import type { ActionReport } from '../../providers/provider.ts';
import type { ActionSite } from './action-site.ts';
import { applyInput } from './apply-input.ts';
import type { EffectRunner } from './run-effect.ts';
import { sizeProblem } from './worker-result-checks.ts';

const engine: Actor = { kind: 'penstock', why: 'the action reported' };

/** Feeds one fact to the core. Late and repeated facts are normal and change nothing. */
export async function applyFact(
  runner: EffectRunner,
  site: ActionSite,
  fact: Fact,
  output?: ActionOutput,
): Promise<void> {
  const { record } = site;
  const applied = await applyInput(runner.db, {
    lane: record.execution.lane,
    repositoryId: record.repositoryId,
    pipeline: record.execution.pipeline,
    pullRequest: record.pullRequest,
    input: fact,
    by: engine,
    at: runner.now(),
    seed: record.execution.id,
    ...(output ? { output: { action: site.run.id, output } } : {}),
  });
  if (applied.outcome === 'ignored') runner.log.debug({ fact: fact.kind, action: site.run.id, why: applied.why });
}

/** Turns what a provider said into the core's words, with what it put out. */
export async function applyReport(runner: EffectRunner, site: ActionSite, given: ActionReport): Promise<void> {
  const report = withinSize(given);
  const about = { execution: site.record.execution.id, action: site.run.id };
  const told = await endOf(runner, site, report);
  switch (report.kind) {
    case 'waiting':
      return applyFact(runner, site, { kind: 'action-waiting', ...about });
    case 'running':
      if (sameProgress(site, report)) return;
      return applyFact(runner, site, { kind: 'action-running', ...about, ...external(report), ...summary(report) });
    case 'succeeded': {
      const revision = report.revision ? { revision: report.revision } : {};
      const fact: Fact = { kind: 'action-succeeded', ...about, ...external(report), ...summary(report), ...revision };
      return applyFact(runner, site, fact, { ...outputOf(report, report.outputVariables), ...told });
    }
    case 'failed': {
      const fact: Fact = { kind: 'action-failed', ...about, ...external(report), error: report.error };
      return applyFact(runner, site, fact, { ...outputOf(report, {}), ...told, error: report.error });
    }
    default:
      return report satisfies never;
  }
}

async function endOf(
  runner: EffectRunner,
  { record, run }: ActionSite,
  report: ActionReport,
): Promise<{ told?: unknown }> {
  if (report.kind !== 'succeeded' && report.kind !== 'failed') return {};
  runner.logs.close(run.id);
  const told = await runner.told?.(record.execution.id, run.id, report.kind === 'failed');
  return told === undefined ? {} : { told };
}

/** CP-V-10: what is too large cannot be handed on, so the action has not done what it was for. */
function withinSize(report: ActionReport): ActionReport {
  const message = report.kind === 'succeeded' ? sizeProblem(report.outputVariables) : undefined;
  return message === undefined ? report : { kind: 'failed', error: { code: 'ConfigurationError', message } };
}

function sameProgress(site: ActionSite, report: Extract<ActionReport, { kind: 'running' }>): boolean {
  const { run } = site;
  return run.phase === 'running' && run.externalExecutionId === report.externalId && run.summary === report.summary;
}

function external(report: { readonly externalId?: string; readonly externalUrl?: string }): {
  externalExecutionId?: string;
  externalExecutionUrl?: string;
} {
  return {
    ...(report.externalId === undefined ? {} : { externalExecutionId: report.externalId }),
    ...(report.externalUrl === undefined ? {} : { externalExecutionUrl: report.externalUrl }),
  };
}

function summary(report: { readonly summary?: string }): { summary?: string } {
  return report.summary === undefined ? {} : { summary: report.summary };
}

function outputOf(
  report: { readonly summary?: string; readonly externalId?: string },
  outputVariables: Readonly<Record<string, string>>,
): ActionOutput {
  return {
    outputVariables,
    ...summary(report),
    ...(report.externalId === undefined ? {} : { externalId: report.externalId }),
  };
}
