import { describeError } from '../../errors.ts';
import { callAws } from './call-errors.ts';
import { boundTo, type Ground } from './ground.ts';
import { findAwsRecord } from './records.ts';

/**
 * The last lines that a failed build wrote, from CloudWatch Logs; empty when they cannot be had, because a log must
 * not keep a failure from being shown.
 */
export async function logTail(
  ground: Ground,
  execution: string,
  action: string,
  lines: number,
): Promise<readonly string[]> {
  const record = await findAwsRecord(ground.db, execution);
  const place = record?.execution.aws.logs?.[action];
  if (!record || !place) return [];
  try {
    const { target, subject } = await boundTo(ground, record.repositoryId, record.pipeline);
    const there = { ...target, region: place.region };
    const asked = { logGroupName: place.group, logStreamName: place.stream, limit: lines, startFromHead: false };
    const call = async () => (await ground.clients.logs(there, subject)).getLogEvents(asked);
    const { events = [] } = await callAws(there, 'GetLogEvents', call);
    return events
      .flatMap(({ message }) => (message === undefined ? [] : message.trimEnd().split(/\r?\n/)))
      .slice(-lines);
  } catch (error) {
    ground.log.warn({ execution, error: describeError(error) }, 'the log of a build could not be read');
    return [];
  }
}
