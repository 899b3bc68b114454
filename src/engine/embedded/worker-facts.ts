import type { Transaction } from 'kysely';
import { findCustomActionType } from '../../db/custom-action-types.ts';
import type { Database } from '../../db/database.ts';
import type { ActionOutput } from '../../db/engine-tables.ts';
import type { ExecutionRecord } from '../../db/executions.ts';
import type { CurrentRevision, WorkerJob, WorkerJobResult } from '../../db/worker-jobs.ts';
import type { ActionExecutionId, SourceRevision } from '../../pipeline/execution.ts';
import type { Fact } from '../../pipeline/fact.ts';
import { findSite } from './action-site.ts';
import { fillTemplate } from './custom-type-checks.ts';
import { findRuleSite } from './rule-site.ts';

interface Told {
  readonly record: ExecutionRecord;
  readonly fact: Fact;
  readonly output?: { readonly action: ActionExecutionId; readonly output: ActionOutput };
}

/** What a worker's result says of the action; undefined when the action ended meanwhile. */
export async function actionFact(
  trx: Transaction<Database>,
  job: WorkerJob,
  result: WorkerJobResult,
): Promise<Told | undefined> {
  const site = await findSite(trx, job.execution, job.subjectId);
  if (site?.run.status !== 'InProgress') return undefined;
  const { record, run } = site;
  const about = { execution: record.execution.id, action: run.id };
  if (result.kind === 'failure') {
    const { type: code, message, externalExecutionId } = result.failureDetails;
    const error = { code, message };
    const external = await externalOf(trx, job, externalExecutionId);
    const output = { outputVariables: {}, summary: message, error, ...externalId(external.externalExecutionId) };
    return {
      record,
      fact: { kind: 'action-failed', ...about, ...external, error },
      output: { action: run.id, output },
    };
  }
  const { executionDetails = {}, continuationToken, outputVariables = {}, currentRevision } = result;
  const external = await externalOf(trx, job, executionDetails.externalExecutionId);
  const summary = executionDetails.summary === undefined ? {} : { summary: executionDetails.summary };
  const percent = executionDetails.percentComplete;
  const details = { ...external, ...summary, ...(percent === undefined ? {} : { percentComplete: percent }) };
  if (continuationToken !== undefined) return { record, fact: { kind: 'action-running', ...about, ...details } };
  const revision = currentRevision && revisionOf(run.action, currentRevision);
  const known = external.externalExecutionId ?? run.externalExecutionId;
  const output = { outputVariables, ...summary, ...externalId(known) };
  const fact: Fact = { kind: 'action-succeeded', ...about, ...details, ...(revision ? { revision } : {}) };
  return { record, fact, output: { action: run.id, output } };
}

/** CP-J-12. */
function revisionOf(
  actionName: string,
  { revision: revisionId, changeIdentifier: revisionChangeId, created, revisionSummary }: CurrentRevision,
): SourceRevision {
  return {
    actionName,
    revisionId,
    revisionChangeId,
    ...(created === undefined ? {} : { created: new Date(created * 1000).toISOString() }),
    ...(revisionSummary === undefined ? {} : { revisionSummary }),
  };
}

/** On failure of a stage an error of the function meets the rule, everywhere else its success does (CP-C-3). */
export async function ruleFact(
  trx: Transaction<Database>,
  job: WorkerJob,
  result: WorkerJobResult,
): Promise<Told | undefined> {
  const site = await findRuleSite(trx, job.execution, job.subjectId);
  if (site?.run.status !== 'InProgress') return undefined;
  const { record, run } = site;
  const about = { execution: record.execution.id, rule: run.id };
  const summary = result.kind === 'success' ? result.executionDetails?.summary : result.failureDetails.message;
  const told = summary === undefined ? {} : { summary };
  if (result.kind === 'success' && result.continuationToken !== undefined) {
    return { record, fact: { kind: 'rule-running', ...about, ...told } };
  }
  const isMet = (result.kind === 'success') !== (site.condition === 'onFailure');
  if (isMet) return { record, fact: { kind: 'rule-succeeded', ...about, ...told } };
  const error =
    result.kind === 'failure'
      ? { code: result.failureDetails.type, message: result.failureDetails.message }
      : { code: 'JobFailed', message: summary ?? 'The function reported success.' };
  return { record, fact: { kind: 'rule-failed', ...about, error } };
}

async function externalOf(
  trx: Transaction<Database>,
  { data }: WorkerJob,
  externalExecutionId: string | undefined,
): Promise<{ externalExecutionId?: string; externalExecutionUrl?: string }> {
  if (externalExecutionId === undefined) return {};
  const { owner, ...type } = data.actionTypeId;
  const known = owner === 'Custom' ? await findCustomActionType(trx, type) : null;
  const template = known?.declaration.settings?.executionUrlTemplate;
  const url = fillTemplate(template, data.configuration, externalExecutionId);
  return { externalExecutionId, ...(url === undefined ? {} : { externalExecutionUrl: url }) };
}

function externalId(id: string | undefined): { externalId?: string } {
  return id === undefined ? {} : { externalId: id };
}
