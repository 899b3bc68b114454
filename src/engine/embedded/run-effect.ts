import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { saveActionInput } from '../../db/action-executions.ts';
import type { Database } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { timeOutWorkerJobs } from '../../db/worker-jobs.ts';
import type { RepositoryRef } from '../../github/github.ts';
import type { ActionDeclaration, PipelineDefinition } from '../../pipeline/definition.ts';
import type { Execution } from '../../pipeline/execution.ts';
import type { Effect } from '../../pipeline/effect.ts';
import type { ActionReport, AnyProvider, ArtifactLocation } from '../../providers/provider.ts';
import type { Notifier } from '../engine.ts';
import { announceApproval } from './announce-approval.ts';
import { findAttempt, findSite, tokenOf, type ActionSite } from './action-site.ts';
import { describeAction } from './describe-action.ts';
import { continueFunction, handOverAction, isHandedOver } from './hand-over-action.ts';
import { settleExclusiveStage } from './exclusive-stage.ts';
import type { AwsCalls } from './aws-calls.ts';
import type { LogBook } from './log-book.ts';
import { applyFact, applyReport } from './report-fact.ts';
import { runRuleEffect } from './run-rule.ts';

/** What running actions needs beyond the database. */
export interface EffectRunner {
  readonly db: Kysely<Database>;
  readonly log: Logger;
  readonly now: () => Date;
  readonly findProvider: (declaration: ActionDeclaration) => AnyProvider | undefined;
  readonly logs: LogBook;
  readonly allotArtifact: (definition: PipelineDefinition, artifact: string, seed: string) => ArtifactLocation;
  /** Secrets that the operator lets this repository's pipelines see, by name. */
  readonly secretsFor: (repository: RepositoryRef) => Readonly<Record<string, string>>;
  /** What people are told of an ended attempt's output, as JSON: kept in the database, because the log stays here. */
  readonly told?: (execution: string, action: string, failed: boolean) => Promise<unknown>;
  /** What rules and Lambda actions may ask of AWS. */
  readonly aws?: AwsCalls;
  /** Without it notices are logged. */
  readonly notifier?: Notifier;
  /** Where a person sees the execution. */
  readonly detailsUrl?: (execution: Execution) => string;
}

type ActionEffect = Extract<Effect, { kind: 'start-action' | 'stop-action' }>;

/** Does one effect. Called at least once per effect: a repeated call finds everything as it stands. */
export async function runEffect(runner: EffectRunner, effect: Effect): Promise<void> {
  switch (effect.kind) {
    case 'start-action':
    case 'stop-action':
      return runActionEffect(runner, effect);
    case 'watch-deadline':
      return passDeadline(runner, effect.execution, effect.id);
    case 'start-rule':
    case 'stop-rule':
    case 'watch-rule-deadline':
      return runRuleEffect(runner, effect);
    case 'request-lock':
    case 'release-lock':
      return settleExclusiveStage(runner, effect.execution, effect.stage);
    default:
      return effect satisfies never;
  }
}

async function runActionEffect(runner: EffectRunner, effect: ActionEffect): Promise<void> {
  const isStop = effect.kind === 'stop-action';
  const site = await (isStop ? findAttempt : findSite)(runner.db, effect.execution, effect.id);
  if (!site) return;
  if (isStop) return stopAction(runner, site);
  if (site.run.status === 'InProgress') await startAction(runner, site);
}

/** Asks a running action how it stands; the answer says when to ask again, if at all. */
export async function pollAction(
  runner: EffectRunner,
  execution: string,
  action: string,
): Promise<{ againAfterMs: number } | undefined> {
  const site = await findSite(runner.db, execution, action);
  if (!site || site.run.status !== 'InProgress' || site.run.externalExecutionId === undefined) return undefined;
  if (isHandedOver(runner, site.declaration)) {
    await continueFunction(runner, site);
    return undefined;
  }
  const provider = runner.findProvider(site.declaration);
  if (!provider?.poll) return undefined;
  const described = await describeAction(runner, site, provider);
  if (described.kind === 'unresolved') return undefined;
  const report = await provider.poll({ ...described.action, externalId: site.run.externalExecutionId });
  await applyReport(runner, site, report);
  return report.kind === 'running' ? { againAfterMs: report.pollAfterMs } : undefined;
}

/** The action's deadline: the core fails it if it still goes on, and asks for its work to be stopped (CP 1.6). */
export async function passDeadline(runner: EffectRunner, execution: string, action: string): Promise<void> {
  const site = await findSite(runner.db, execution, action);
  if (!site || site.run.status !== 'InProgress') return;
  await applyFact(runner, site, {
    kind: 'deadline-passed',
    execution: site.record.execution.id,
    action: site.run.id,
  });
}

async function startAction(runner: EffectRunner, site: ActionSite): Promise<void> {
  if (isHandedOver(runner, site.declaration)) return handOverAction(runner, site);
  const provider = runner.findProvider(site.declaration);
  if (!provider) return applyReport(runner, site, noProvider(site.declaration));
  const described = await describeAction(runner, site, provider);
  if (described.kind === 'unresolved') return applyReport(runner, site, described.report);
  await saveActionInput(runner.db, site.run.id, described.input);
  const report = await provider.start(described.action);
  await applyReport(runner, site, report);
  if (report.kind === 'waiting') await announceApproval(runner, site, described.action.declaration.configuration);
  if (report.kind === 'running') await schedulePoll(runner, site, Math.min(report.pollAfterMs, firstPollMs));
}

/** The work may end, and say so, before its poll job exists; the first poll comes soon enough to make up for that. */
const firstPollMs = 300;

async function schedulePoll(runner: EffectRunner, site: ActionSite, delayMs: number): Promise<void> {
  await enqueue(runner.db, {
    kind: 'poll',
    payload: { execution: site.record.execution.id, action: site.run.id },
    dedupeKey: `poll/${site.run.id}`,
    delayMs,
    host: site.record.host,
  });
}

async function stopAction(runner: EffectRunner, site: ActionSite): Promise<void> {
  if (isHandedOver(runner, site.declaration)) return timeOutWorkerJobs(runner.db, site.run.id);
  await runner.findProvider(site.declaration)?.stop?.({ token: tokenOf(site) });
  // Nobody will report how it ended.
  runner.logs.close(site.run.id);
}

function noProvider(declaration: ActionDeclaration): ActionReport {
  const { category, owner, provider, version } = declaration.actionTypeId;
  const type = `ActionType (Category: '${category}', Provider: '${provider}', Owner: '${owner}', Version: '${version}')`;
  const message = `${type} in action '${declaration.name}' does not run on the embedded engine.`;
  return { kind: 'failed', error: { code: 'ConfigurationError', message } };
}
