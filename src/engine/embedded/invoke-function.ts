import {
  claimFunctionCall,
  findWorkerJob,
  markFunctionCalled,
  queueWorkerJob,
  type JobInput,
  type WorkerJob,
  type WorkerJobData,
} from '../../db/worker-jobs.ts';
import type { FunctionAnswer } from './aws-calls.ts';
import { callSubject, refusedToFork } from './call-subject.ts';
import type { NamedArtifact } from '../../providers/provider.ts';
import type { ResolvedRule } from './describe-rule.ts';
import type { ExecutionSite } from './execution-site.ts';
import type { RuleReport } from './rule-report.ts';
import type { RuleSite } from './rule-site.ts';
import type { EffectRunner } from './run-effect.ts';
import { workerJobId } from './worker-job-id.ts';

/**
 * Hands a rule to a Lambda function as a worker job. In `onFailure` an error of the function meets the rule, everywhere
 * else its success does (CP-C-3).
 */
export async function invokeForRule(
  runner: EffectRunner,
  site: RuleSite,
  rule: Extract<ResolvedRule, { ok: true }>,
): Promise<RuleReport> {
  const functionName = rule.declaration.configuration['FunctionName'] ?? '';
  const invoke = runner.aws?.invokeFunction;
  if (!invoke) {
    return broken('LambdaInvoke rules need AWS access, and this server has none. Remove the rule, or configure AWS.');
  }
  const forked = refusedToFork(site);
  if (forked) return reportOfAnswer(forked, functionName, false);
  const job = await handOut(runner, {
    execution: site.record.execution.id,
    subject: 'rule',
    subjectId: site.run.id,
    data: {
      actionTypeId: rule.declaration.ruleTypeId,
      configuration: rule.declaration.configuration,
      pipelineContext: {
        repositoryId: site.record.repositoryId,
        pipelineName: site.record.pipeline,
        stage: site.stage.stage,
        action: site.run.rule,
        actionExecutionId: site.run.id,
        pipelineExecutionId: site.record.execution.id,
      },
      inputArtifacts: jobInputs(site, rule.inputs),
      outputArtifacts: [],
    },
  });
  const answer = await invoke({ subject: callSubject(site), functionName, region: rule.declaration.region, job });
  return reportOfAnswer(answer, functionName, site.condition === 'onFailure');
}

/** A function that asked to be called again (CP-J-9). */
export async function continueForRule(runner: EffectRunner, site: RuleSite): Promise<RuleReport> {
  const invoke = runner.aws?.invokeFunction;
  const job = invoke ? await claimFunctionCall(runner.db, site.run.id) : null;
  if (!invoke || !job) return { kind: 'running' };
  const functionName = job.data.configuration['FunctionName'] ?? '';
  const answer = await invoke({ subject: callSubject(site), functionName, region: site.declaration.region, job });
  await markFunctionCalled(runner.db, job.id);
  return reportOfAnswer(answer, functionName, site.condition === 'onFailure');
}

/** CP-J-5: each with what a source action took to make it. */
export function jobInputs({ definition, record }: ExecutionSite, inputs: readonly NamedArtifact[]): JobInput[] {
  const sources = definition.stages[0]?.actions ?? [];
  return inputs.map((input) => {
    const source = sources.find(({ outputArtifacts }) => outputArtifacts.some(({ name }) => name === input.name));
    const taken = record.execution.sourceRevisions.find(({ actionName }) => actionName === source?.name);
    return taken ? { ...input, revision: taken.revisionId } : input;
  });
}

/** One job per subject: a repeated start finds the first one. */
export async function handOut(
  runner: Pick<EffectRunner, 'db'>,
  work: {
    readonly execution: string;
    readonly subject: 'action' | 'rule';
    readonly subjectId: string;
    readonly data: WorkerJobData;
  },
): Promise<WorkerJob> {
  const id = workerJobId(work.subjectId, 1);
  await queueWorkerJob(runner.db, { ...work, id, status: 'InProgress' });
  const job = await findWorkerJob(runner.db, id);
  if (!job) throw new Error(`the worker job of ${work.subject} ${work.subjectId} vanished`);
  return job;
}

function reportOfAnswer(answer: FunctionAnswer, functionName: string, errorIsSuccess: boolean): RuleReport {
  switch (answer.kind) {
    case 'accepted':
      return { kind: 'running', externalId: functionName };
    case 'missing':
      return broken(`The AWS Lambda function ${functionName} does not exist.`);
    case 'refused':
      return { kind: 'errored', error: { code: answer.code, message: answer.message } };
    case 'error':
      if (errorIsSuccess) return { kind: 'succeeded', summary: answer.message, externalId: functionName };
      return { kind: 'failed', error: { code: 'JobFailed', message: answer.message }, externalId: functionName };
    default:
      return answer satisfies never;
  }
}

function broken(message: string): RuleReport {
  return { kind: 'errored', error: { code: 'ConfigurationError', message } };
}
