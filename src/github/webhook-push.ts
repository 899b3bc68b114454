import { z } from 'zod';
import type { EventOrIgnored } from './event.ts';
import type { RepositoryRef } from './github.ts';
import { account, optionalText, sha, text } from './shapes.ts';
import { byAction, event, ignored, readRepositoryEvent, repositoryEvent, short } from './webhook-reader.ts';
import type { Reader } from './webhook-reader.ts';

const mergeQueuePrefix = 'gh-readonly-queue/';

const pushShape = repositoryEvent.extend({
  ref: z.string(),
  before: sha,
  after: sha,
  created: z.boolean(),
  deleted: z.boolean(),
  forced: z.boolean(),
  sender: account,
  head_commit: z.object({ id: sha, message: optionalText }).nullish(),
});

export const push: Reader = (payload) => readRepositoryEvent('push', pushShape, payload, readPush);

function readPush(body: z.output<typeof pushShape>, repository: RepositoryRef): EventOrIgnored {
  const ref = refOf(body.ref);
  if (!ref) return ignored(`push: ${short(body.ref)} is neither a branch nor a tag`);
  if (body.deleted || /^0+$/.test(body.after)) return ignored(`push: ${ref.kind} ${short(ref.name)} was deleted`);
  if (ref.name.startsWith(mergeQueuePrefix)) {
    return ignored('push: the merge queue made this branch; its merge_group event decides');
  }
  return event({
    kind: 'push',
    repository,
    ref,
    before: body.before,
    // For an annotated tag `after` is the tag object; what runs is the commit it points to (CP-D-38).
    after: ref.kind === 'tag' ? (body.head_commit?.id ?? body.after) : body.after,
    created: body.created,
    forced: body.forced,
    sender: body.sender,
    headMessage: body.head_commit?.message ?? '',
  });
}

function refOf(ref: string): { kind: 'branch' | 'tag'; name: string } | null {
  const match = /^refs\/(heads|tags)\/(.+)$/s.exec(ref);
  if (!match?.[2]) return null;
  return { kind: match[1] === 'heads' ? 'branch' : 'tag', name: text.parse(match[2]) };
}

const mergeGroupShape = repositoryEvent.extend({
  merge_group: z.object({ head_sha: sha, head_ref: text, base_ref: text, base_sha: sha }),
  reason: text.optional(),
});

export const mergeGroup: Reader = byAction('merge_group', {
  checks_requested: (payload) => readMergeGroup('checks_requested', payload),
  destroyed: (payload) => readMergeGroup('destroyed', payload),
});

function readMergeGroup(action: 'checks_requested' | 'destroyed', payload: unknown): EventOrIgnored {
  return readRepositoryEvent('merge_group', mergeGroupShape, payload, (body, repository) =>
    event({
      kind: 'merge-group',
      action,
      repository,
      headSha: body.merge_group.head_sha,
      headRef: branchName(body.merge_group.head_ref),
      baseRef: branchName(body.merge_group.base_ref),
      baseSha: body.merge_group.base_sha,
      ...(body.reason !== undefined && { reason: body.reason }),
    }),
  );
}

/** merge_group carries full refs where pull requests carry branch names. */
function branchName(ref: string): string {
  return ref.replace(/^refs\/heads\//, '');
}
