import type { Logger } from 'pino';
import { describeError } from '../../errors.ts';
import { approvalNotification } from '../../pipeline/approval-notification.ts';
import type { Notifier } from '../engine.ts';
import { findSite, type ActionSite } from './action-site.ts';
import type { EffectRunner } from './run-effect.ts';

/** Tells the topic of an approval that it waits (CP-A-11). A topic that cannot be reached does not hold the gate up. */
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
  try {
    await (runner.notifier ?? logNotifier(runner.log)).approvalWaiting({ topicArn, message });
  } catch (error) {
    runner.log.warn(
      { topicArn, action: site.run.id, error: describeError(error) },
      'an approval could not be announced',
    );
  }
}

/** For servers without a way to SNS: the announcement stands in the log, without the token that answers the approval. */
function logNotifier(log: Logger): Notifier {
  return {
    approvalWaiting({ topicArn, message }) {
      const { token: _token, ...approval } = message.approval;
      log.info(
        { topicArn, approval },
        'an approval waits; its topic is not told, because this server has no SNS client',
      );
      return Promise.resolve();
    },
  };
}
