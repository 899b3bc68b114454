import type { Binding, EventQueueSettings, ServerConfig } from '../config/server-types.ts';
import { callAws } from '../engine/aws/call-errors.ts';
import type { AwsTarget, CodePipelineApi } from '../engine/aws/port.ts';
import { describeError, TransientError, UserError } from '../errors.ts';
import { targetOf } from '../main/aws-targets.ts';
import type { Finding } from './doctor.ts';

/** What bound pipelines and queues need, tried: roles are taken and every read that Penstock lives on is made once. */
export async function lookAtAws({ bindings, aws }: ServerConfig, home: string): Promise<readonly Finding[]> {
  return [...(await lookAtBindings(bindings, home)), ...(await Promise.all(aws.queues.map(lookAtQueue)))];
}

async function lookAtBindings(bindings: readonly Binding[], home: string): Promise<readonly Finding[]> {
  if (bindings.length === 0) return [];
  const { createAwsClients } = await import('../engine/aws/clients.ts');
  const clients = createAwsClients({ maxAttempts: 2 });
  const findings: Finding[] = [];
  for (const binding of bindings) {
    const { owner, name } = binding.repository;
    const what = `AWS pipeline ${binding.pipeline} of ${owner}/${name}`;
    const subject = { repositoryId: 0, repository: `${owner}/${name}` };
    findings.push({
      what,
      ...(await lookAtPipeline(binding, home, (target) => clients.codePipeline(target, subject))),
    });
  }
  return findings;
}

async function lookAtPipeline(
  binding: Binding,
  home: string,
  open: (target: AwsTarget) => Promise<CodePipelineApi>,
): Promise<Pick<Finding, 'ok' | 'found'>> {
  try {
    const target = targetOf(binding, home);
    await tryReads(target, await open(target));
    const { pipelineName, region, account } = target;
    return {
      ok: true,
      found: `${pipelineName} in ${region} of ${account} can be read; what starts, approves or stops is not tried`,
    };
  } catch (error) {
    return { ok: false, found: sentenceFor(error, binding) };
  }
}

/** Each right by itself, so that one that is missing is told by its name. */
async function tryReads(target: AwsTarget, api: CodePipelineApi): Promise<void> {
  const { pipelineName } = target;
  const input = { pipelineName, maxResults: 1 };
  await callAws(target, 'GetPipeline', () => api.getPipeline({ name: pipelineName }));
  await callAws(target, 'GetPipelineState', () => api.getPipelineState({ name: pipelineName }));
  const list = () => api.listPipelineExecutions(input);
  const { pipelineExecutionSummaries: [last] = [] } = await callAws(target, 'ListPipelineExecutions', list);
  await callAws(target, 'ListActionExecutions', () => api.listActionExecutions(input));
  const pipelineExecutionId = last?.pipelineExecutionId;
  if (pipelineExecutionId === undefined) return;
  const one = { pipelineName, pipelineExecutionId };
  await callAws(target, 'GetPipelineExecution', () => api.getPipelineExecution(one));
  const rules = { ...input, filter: { pipelineExecutionId } };
  await callAws(target, 'ListRuleExecutions', () => api.listRuleExecutions(rules));
}

/** One line: what is wrong, and what to do. */
function sentenceFor(error: unknown, { aws: { region } }: Binding): string {
  if (error instanceof UserError) return error.message;
  if (error instanceof TransientError) {
    return `${describeError(error.cause ?? error)}. Check that \`region: ${region}\` of the binding is a region of AWS, and that this machine reaches it.`;
  }
  return `${describeError(error)}. Compare the binding in penstock.server.yml with what AWS shows.`;
}

/** Whether the queue is there and answers to us; nothing is received from it. */
async function lookAtQueue(place: EventQueueSettings): Promise<Finding> {
  const what = `AWS queue ${place.url.split('/').at(-1)}`;
  const { openQueue } = await import('../engine/aws/queue-client.ts');
  const queue = openQueue(place);
  try {
    const AttributeNames = ['ApproximateNumberOfMessages' as const];
    const { Attributes } = await queue.getQueueAttributes({ QueueUrl: place.url, AttributeNames });
    return { what, ok: true, found: `${Attributes?.['ApproximateNumberOfMessages'] ?? 'no'} messages wait` };
  } catch (error) {
    const mend =
      'Compare url, region and roleArn with what AWS shows; `penstock iam-policy` prints what its reader needs.';
    return { what, ok: false, found: `${describeError(error).replace(/[.]$/, '')}. ${mend}` };
  } finally {
    queue.destroy();
  }
}
