import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { enqueueNotice } from '../db/event-outbox.ts';
import type { JobPayloads } from '../db/job-payloads.ts';
import { logNotifier } from '../engine/embedded/announce-approval.ts';
import type { Notifier } from '../engine/engine.ts';
import { aboutExecution, deliver, takes, type Receivers } from './receivers.ts';

export interface NoticesOptions {
  readonly db: Kysely<Database>;
  readonly log: Logger;
  readonly now: () => Date;
  readonly notices: Receivers['notices'];
}

/** Leaves a job for each receiver that takes the topic; where there is none, the announcement stands in the log. */
export function noticeNotifier({ db, log, now, notices }: NoticesOptions): Notifier {
  return {
    async approvalWaiting(notice) {
      const about = await aboutExecution(db, notice.execution);
      const sinks = [...notices.values()].flatMap(({ sink }) =>
        about && takesTopic(sink.topics, notice.topicArn) && takes(sink, about.repository) ? [sink.name] : [],
      );
      if (sinks.length === 0) return logNotifier(log).approvalWaiting(notice);
      const { execution, message } = notice;
      const time = now().toISOString();
      for (const sink of sinks) await enqueueNotice(db, { sink, execution, time, message });
    },
  };
}

function takesTopic(topics: 'all' | readonly string[], topicArn: string): boolean {
  return topics === 'all' || topics.includes(topicArn);
}

/** Hands one notice to one receiver. Told again after a failure, so a receiver may see it twice (CP-A-11). */
export async function sendNotice(
  { db, now, notices }: NoticesOptions,
  { sink: name, execution, time, message }: JobPayloads['notice'],
): Promise<void> {
  const found = notices.get(name);
  const about = await aboutExecution(db, execution);
  // Taken out of the configuration, or its pipeline is gone.
  if (!found || !about || !takes(found.sink, about.repository)) return;
  const { token, pipelineName, actionName } = message.approval;
  const told = `The notice for ${name} that '${actionName}' of ${pipelineName} waits`;
  const outgoing = { id: token, group: execution, body: JSON.stringify(message) };
  await deliver(found.receive, outgoing, told, now().getTime() - Date.parse(time));
}
