import { UserError, describeError } from '../../errors.ts';
import { boundTo, counted, type Ground } from './ground.ts';
import type { LogPlace } from './aws-execution.ts';
import { findAwsRecord, type AwsRecord } from './records.ts';

/** The end of an action's log at AWS. */
export interface AwsLog {
  /** Oldest first, not masked. */
  readonly lines: readonly string[];
  /** The console's page of it. */
  readonly url?: string;
  /** A sentence for people, when a right is missing to read it. */
  readonly unasked?: string;
}

/**
 * The last lines of an action's log, from CloudWatch Logs or as its service told them. Undefined: there is none at AWS.
 * One that cannot be had is empty: a log must not keep a failure from being shown.
 */
export async function logTail(
  ground: Ground,
  execution: string,
  action: string,
  lines: number,
): Promise<AwsLog | undefined> {
  const record = await findAwsRecord(ground.db, execution);
  const run = record?.execution.stages.flatMap((stage) => stage.actions).find((one) => one.id === action);
  if (!record || !run) return undefined;
  const url = run.externalExecutionUrl === undefined ? {} : { url: run.externalExecutionUrl };
  if (run.story?.lines) return { lines: run.story.lines, ...url };
  const place = record.execution.aws.logs?.[action];
  if (!place) return undefined;
  try {
    return { lines: await readEnd(ground, record, place, lines), ...url };
  } catch (error) {
    ground.log.warn({ execution, error: describeError(error) }, 'the log of a build could not be read');
    return { lines: [], ...url, ...(error instanceof UserError ? { unasked: error.message } : {}) };
  }
}

async function readEnd(
  ground: Ground,
  record: AwsRecord,
  { region, group, stream }: LogPlace,
  limit: number,
): Promise<readonly string[]> {
  const { target, subject } = await boundTo(ground, record.repositoryId, record.pipeline);
  const there = { ...target, region };
  const asked = { logGroupName: group, logStreamName: stream, limit, startFromHead: false };
  const call = async () => (await ground.clients.logs(there, subject)).getLogEvents(asked);
  const partition = target.roleArn.split(':')[1] ?? 'aws';
  const arn = `arn:${partition}:logs:${region}:${target.account}:log-group:${group}:log-stream:${stream}`;
  const { events = [] } = await counted(ground, there, 'logs:GetLogEvents', call, arn);
  return events.flatMap(({ message }) => (message === undefined ? [] : message.trimEnd().split(/\r?\n/))).slice(-limit);
}
