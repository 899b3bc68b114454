import type { Logger } from 'pino';
import { approvalNotification } from '../../pipeline/approval-notification.ts';
import type { Notifier } from '../engine.ts';
import { findSite, type ActionSite } from './action-site.ts';
import type { EffectRunner } from './run-effect.ts';

/**
 * Tells the topic of an approval that it waits (CP-A-11). The gate waits by now and can be answered; what is thrown here
 * makes the effect run again, and so the announcement.
 */
export async function announceApproval(
  runner: EffectRunner,
  site: ActionSite,
  configuration: Readonly<Record<string, string>>,
): Promise<void> {
  const topicArn = configuration['NotificationArn'];
  if (topicArn === undefined) return;
  const { execution } = site.record;
  // Read again: the token came with the fact that it waits.
  const waiting = await findSite(runner.db, execution.id, site.run.id);
  const link = runner.detailsUrl?.(execution) ?? '';
  const message =
    waiting &&
    approvalNotification(waiting.run, {
      region: topicArn.split(':')[3] ?? '',
      pipeline: execution.pipeline,
      stage: site.stage,
      consoleLink: link,
      reviewLink: link,
      configuration,
    });
  if (!message) return;
  await (runner.notifier ?? logNotifier(runner.log)).approvalWaiting({ execution: execution.id, topicArn, message });
}

/** Where nobody is to be told: the announcement stands in the log, without the token that answers the approval. */
export function logNotifier(log: Logger): Notifier {
  return {
    approvalWaiting({ topicArn, message }) {
      const { token: _token, ...approval } = message.approval;
      log.info(
        { topicArn, approval },
        'an approval waits, and no receiver in notices: of penstock.server.yml takes its topic',
      );
      return Promise.resolve();
    },
  };
}
