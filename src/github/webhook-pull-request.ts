import { z } from 'zod';
import type { EventOrIgnored, WebhookEvent } from './event.ts';
import { account, pullRequest, sha } from './shapes.ts';
import { byAction, event, ignored, readRepositoryEvent, repositoryEvent } from './webhook-reader.ts';
import type { Reader } from './webhook-reader.ts';

type Action = Extract<WebhookEvent, { kind: 'pull-request' }>['action'];

const shape = repositoryEvent.extend({
  pull_request: pullRequest,
  sender: account,
  before: sha.optional(),
  changes: z.object({ base: z.unknown().optional() }).optional(),
});

export const pullRequestEvent: Reader = byAction(
  'pull_request',
  {
    opened: (payload) => read('opened', payload),
    reopened: (payload) => read('reopened', payload),
    synchronize: (payload) => read('synchronize', payload),
    closed: (payload) => read('closed', payload),
    ready_for_review: (payload) => read('ready_for_review', payload),
    edited: (payload) => read('edited', payload),
  },
  {
    enqueued: 'the merge_group event of the queue decides',
    dequeued: 'the merge_group event of the queue decides',
    converted_to_draft: 'pipelines run for drafts as for any pull request',
  },
);

function read(action: Action, payload: unknown): EventOrIgnored {
  return readRepositoryEvent('pull_request', shape, payload, (body, repository) => {
    if (action === 'edited' && body.changes?.base === undefined) {
      return ignored('pull_request.edited: the base branch is the same');
    }
    return event({
      kind: 'pull-request',
      action,
      repository,
      pullRequest: body.pull_request,
      ...(action === 'synchronize' && body.before !== undefined && { before: body.before }),
      sender: body.sender,
    });
  });
}
