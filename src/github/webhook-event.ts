import type { EmitterWebhookEventName } from '@octokit/webhooks';
import { z } from 'zod';
import type { EventOrIgnored } from './event.ts';
import { checkRun, checkSuite } from './webhook-checks.ts';
import { installation, installationRepositories, repositoryChanged } from './webhook-installation.ts';
import { mergeGroup, push } from './webhook-push.ts';
import { pullRequestEvent } from './webhook-pull-request.ts';
import { issueComment, review, reviewComment } from './webhook-text.ts';
import { ignored, rejected } from './webhook-reader.ts';
import type { Reader } from './webhook-reader.ts';

// A Map, because an event may call itself `__proto__` or `constructor` (SEC-E-10).
const readers = new Map<EmitterWebhookEventName, Reader>([
  ['push', push],
  ['pull_request', pullRequestEvent],
  ['issue_comment', issueComment],
  ['pull_request_review', review],
  ['pull_request_review_comment', reviewComment],
  ['check_run', checkRun],
  ['check_suite', checkSuite],
  ['merge_group', mergeGroup],
  ['installation', installation],
  ['installation_repositories', installationRepositories],
  ['repository', repositoryChanged],
]);

/** Events that the App subscribes to; the manifest in app.yml is tested against this. */
export const subscribedEvents: readonly string[] = [...readers.keys()];

/**
 * Turns what GitHub sent into our own event, or says why it is none of our business. Never throws.
 * A reason that begins with `rejected:` means that the body is not what its event name promises (SEC-E-05).
 * @param appId Ours: buttons and re-runs on check runs of other apps are ignored (SEC-B-14).
 */
export function toWebhookEvent(name: string, payload: unknown, appId?: number): EventOrIgnored {
  const reader = readers.get(name as EmitterWebhookEventName);
  if (!reader) return ignored(`Penstock does not act on ${describeName(name)} events`);
  try {
    return reader(payload, appId);
  } catch (error) {
    // Only for shapes that no schema foresaw, such as a getter that throws: a delivery must never kill its worker.
    return ignored(rejected(name, ` (${error instanceof Error ? error.message : 'unreadable'})`));
  }
}

function describeName(name: string): string {
  return z
    .string()
    .regex(/^[a-z0-9_]{1,60}$/)
    .safeParse(name).success
    ? name
    : 'unknown';
}
