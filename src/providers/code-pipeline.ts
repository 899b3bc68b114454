import { z } from 'zod';
import type { ActionProvider, ActionReport, StartedAction } from './provider.ts';

/** Of StartPipelineExecution, as JSON in a configuration value. */
export interface PipelineVariable {
  readonly name: string;
  readonly value: string;
}

export interface RevisionOverride {
  readonly actionName: string;
  readonly revisionType: 'COMMIT_ID' | 'IMAGE_DIGEST' | 'S3_OBJECT_VERSION_ID' | 'S3_OBJECT_KEY';
  readonly revisionValue: string;
}

/** One pipeline that asks for another one of its own repository; the same `actionExecution` is the same execution. */
export interface PipelineCall {
  readonly repositoryId: number;
  readonly execution: string;
  readonly actionExecution: string;
  readonly from: { readonly pipeline: string; readonly stage: string; readonly action: string };
  readonly pipeline: string;
  readonly variables: readonly PipelineVariable[];
  readonly sourceRevisions: readonly RevisionOverride[];
}

export type PipelineCallAnswer =
  { readonly kind: 'started'; readonly execution: string } | { readonly kind: 'refused'; readonly message: string };

export type CallPipeline = (call: PipelineCall) => Promise<PipelineCallAnswer>;

const name = z.string().min(1).max(100);
const variables = z
  .array(z.strictObject({ name: z.string().min(1).max(128), value: z.string().min(1).max(1000) }))
  .max(50);
const revisions = z
  .array(
    z.strictObject({
      actionName: name,
      revisionType: z.enum(['COMMIT_ID', 'IMAGE_DIGEST', 'S3_OBJECT_VERSION_ID', 'S3_OBJECT_KEY']),
      revisionValue: z.string().min(1).max(1500),
    }),
  )
  .max(50);

const Configuration = z.strictObject({
  PipelineName: name,
  Variables: listIn(variables, '[{"name":"…","value":"…"}]').default([]),
  SourceRevisions: listIn(revisions, '[{"actionName":"…","revisionType":"COMMIT_ID","revisionValue":"…"}]').default([]),
});
type Configuration = z.infer<typeof Configuration>;

/** A list that stands as JSON in a text. */
function listIn<T>(list: z.ZodType<T>, form: string) {
  return z.string().transform((text, context): T => {
    const read = list.safeParse(parsed(text));
    if (read.success) return read.data;
    context.addIssue({ code: 'custom', message: `this is no JSON of the form ${form}` });
    return z.NEVER;
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Starts another pipeline of the same repository and does not wait for it (CP 5.4). */
export function codePipeline(callPipeline: CallPipeline | undefined): ActionProvider<Configuration> {
  return {
    type: { category: 'Invoke', owner: 'AWS', provider: 'CodePipeline', version: '1' },
    configuration: Configuration,
    artifacts: { in: [0, 0], out: [0, 0] },
    start: (action) => start(callPipeline, action),
  };
}

async function start(
  callPipeline: CallPipeline | undefined,
  action: StartedAction<Configuration>,
): Promise<ActionReport> {
  const { PipelineName: pipeline, Variables: given, SourceRevisions: sourceRevisions } = action.configuration;
  if (!callPipeline) {
    return failed(`This run has one pipeline, and '${pipeline}' is another. Start it by itself with penstock run.`);
  }
  if (action.trust === 'fork')
    return failed(`Code of a fork starts no other pipeline, so '${pipeline}' was not started.`);
  const answer = await callPipeline({
    repositoryId: action.repository.id,
    execution: action.execution,
    actionExecution: action.actionExecution,
    from: { pipeline: action.pipeline, stage: action.stage, action: action.declaration.name },
    pipeline,
    variables: given,
    sourceRevisions,
  });
  if (answer.kind === 'refused') return failed(answer.message);
  const summary = `Started ${pipeline}: ${answer.execution}`;
  action.log.write(`${summary}\n`);
  return { kind: 'succeeded', outputVariables: {}, summary, externalId: answer.execution };
}

function failed(message: string): ActionReport {
  return { kind: 'failed', error: { code: 'ConfigurationError', message } };
}
