import type { Account, CommentRef, PullRequest, RepositoryRef } from './github.ts';

/**
 * A webhook in our words; made by src/github/webhook-event.ts, the only place that knows GitHub's payloads.
 * A payload that we do not act on becomes a reason, which is stored with its delivery.
 */
export type EventOrIgnored =
  { readonly kind: 'event'; readonly event: WebhookEvent } | { readonly kind: 'ignored'; readonly reason: string };

export type WebhookEvent =
  | {
      readonly kind: 'push';
      readonly repository: RepositoryRef;
      readonly ref: { readonly kind: 'branch' | 'tag'; readonly name: string };
      readonly before: string;
      readonly after: string;
      readonly created: boolean;
      readonly forced: boolean;
      readonly sender: Account;
      readonly headMessage: string;
    }
  | {
      readonly kind: 'pull-request';
      readonly action: 'opened' | 'reopened' | 'synchronize' | 'closed' | 'ready_for_review' | 'edited';
      readonly repository: RepositoryRef;
      readonly pullRequest: PullRequest;
      /** On synchronize: the head before. */
      readonly before?: string;
      readonly sender: Account;
    }
  | {
      /** Words of a person: a comment on a pull request, or a review with its body. */
      readonly kind: 'human-text';
      readonly repository: RepositoryRef;
      readonly number: number;
      readonly source: CommentRef;
      readonly body: string;
      readonly createdAt: string;
      /** The text was changed after it was posted, before the delivery was made. */
      readonly edited: boolean;
      /** Posted through an app on a person's behalf. */
      readonly viaApp: boolean;
      readonly author: Account;
      /** Only for reviews. */
      readonly review?: {
        readonly state: 'approved' | 'changes_requested' | 'commented' | 'dismissed';
        readonly sha: string;
      };
    }
  | {
      readonly kind: 'text-changed';
      readonly repository: RepositoryRef;
      readonly number: number;
      readonly source: CommentRef;
      readonly action: 'edited' | 'deleted' | 'dismissed';
      readonly author: Account;
      readonly sender: Account;
    }
  | {
      readonly kind: 'button';
      readonly repository: RepositoryRef;
      readonly checkRunId: number;
      readonly checkName: string;
      readonly externalId: string;
      readonly headSha: string;
      readonly identifier: string;
      readonly sender: Account;
    }
  | {
      readonly kind: 'rerun-check';
      readonly repository: RepositoryRef;
      readonly checkRunId: number;
      readonly checkName: string;
      readonly externalId: string;
      readonly headSha: string;
      readonly sender: Account;
    }
  | {
      readonly kind: 'rerun-suite';
      readonly repository: RepositoryRef;
      readonly headSha: string;
      readonly sender: Account;
    }
  | {
      readonly kind: 'merge-group';
      readonly action: 'checks_requested' | 'destroyed';
      readonly repository: RepositoryRef;
      readonly headSha: string;
      readonly headRef: string;
      readonly baseRef: string;
      readonly baseSha: string;
      readonly reason?: string;
    }
  | {
      readonly kind: 'installation';
      readonly action: 'added' | 'removed' | 'suspended' | 'unsuspended';
      readonly installationId: number;
      readonly repositories: readonly RepositoryRef[];
      /** With `removed` or `suspended` of the whole installation GitHub may not list repositories. */
      readonly all: boolean;
    }
  | {
      readonly kind: 'repository';
      readonly action: 'renamed' | 'transferred' | 'deleted';
      readonly repository: RepositoryRef;
    };
