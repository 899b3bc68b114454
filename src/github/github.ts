import type { CheckRunView } from '../render/view.ts';
import type { WebhookEvent } from './event.ts';

/**
 * GitHub in our words. No Octokit types pass this line. Every verb works with a token minted for the one repository
 * that it names, with the least permissions (SEC-T-01). Not found is `null`; away or limited is TransientError.
 */
export interface GitHub {
  readFile(repository: RepositoryRef, path: string, sha: string): Promise<string | null>;
  /** Paths changed by a pull request, or between two commits. */
  changedFiles(repository: RepositoryRef, range: FileRange): Promise<ChangedFiles>;
  pullRequest(repository: RepositoryRef, number: number): Promise<PullRequest | null>;
  openPullRequests(repository: RepositoryRef): Promise<readonly OpenPullRequest[]>;
  /** Pull requests that a commit belongs to; the merged one first. GitHub lags behind a merge. */
  pullRequestsOf(repository: RepositoryRef, sha: string): Promise<readonly PullRequest[]>;
  /** Authors and committers of a pull request's commits, or of the commits between two SHAs. */
  commitAuthors(repository: RepositoryRef, range: FileRange): Promise<CommitAuthors>;
  /** The push that put that branch, or else any branch or tag first, at that commit, when it is among the newest hundred. */
  pushOf(repository: RepositoryRef, sha: string, branch?: string): Promise<PushMade | null>;
  branchHead(repository: RepositoryRef, branch: string): Promise<BranchHead | null>;
  defaultBranch(repository: RepositoryRef): Promise<string | null>;
  /**
   * With `id`, only of the account of that number: a login may have passed to somebody else (SEC-B-11). `unknown` when
   * GitHub refuses to say; while it cannot be asked, a TransientError.
   */
  permissionOf(repository: RepositoryRef, login: string, id?: number): Promise<Permission | 'unknown'>;
  /** People who could answer a gate: collaborators with write access or more. At most 100. */
  writers(repository: RepositoryRef): Promise<readonly Writer[]>;
  postCheckRun(repository: RepositoryRef, run: CheckRunDraft): Promise<CheckRunRef>;
  updateCheckRun(repository: RepositoryRef, id: number, run: CheckRunDraft): Promise<void>;
  /** Our own check runs on a commit: the read-back after an unclear answer. */
  checkRunsOf(repository: RepositoryRef, sha: string, name?: string): Promise<readonly CheckRunRef[]>;
  /** `marker` is hidden in the body; with it a repeated call finds the earlier comment and edits that one. */
  comment(repository: RepositoryRef, number: number, body: string, marker: string): Promise<void>;
  /** Nothing happens for a review: GitHub has no reactions on them in REST. */
  react(repository: RepositoryRef, comment: CommentRef, reaction: Reaction): Promise<void>;
  /** Comments and review bodies by people on a pull request since then, oldest first: what a lost delivery would say. */
  humanTextSince(repository: RepositoryRef, number: number, since: Date): Promise<readonly HumanText[]>;
  /** Every review on a pull request by people, as it stands now: a dismissed one says so. */
  reviewsOf(repository: RepositoryRef, number: number): Promise<readonly HumanText[]>;
  /** Comments by people on all pull requests of a repository, open or not, oldest first. No reviews. */
  commentsSince(repository: RepositoryRef, since: Date): Promise<readonly HumanText[]>;
  /** `team` is `org/slug`. Only an active member counts; unknown teams and teams of other organisations have none. */
  isTeamMember(repository: RepositoryRef, team: string, login: string): Promise<boolean>;
  /** What `git fetch` needs. The token reads contents of this repository only and lives up to an hour. */
  fetchAccess(repository: RepositoryRef): Promise<{ readonly url: string; readonly token: string }>;
  /** Every repository that the App is installed on. */
  installedRepositories(): Promise<readonly RepositoryRef[]>;
  /** Deliveries that GitHub recorded since then, newest first. */
  deliveriesSince(since: Date): Promise<readonly DeliveryRecord[]>;
  redeliver(id: number): Promise<void>;
}

export interface RepositoryRef {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  readonly installationId: number;
}

export interface Account {
  readonly id: number;
  readonly login: string;
  readonly bot: boolean;
}

export type FileRange =
  | { readonly kind: 'pull-request'; readonly number: number }
  | { readonly kind: 'commits'; readonly before: string; readonly after: string }
  /** One commit against its first parent. */
  | { readonly kind: 'commit'; readonly sha: string };

export interface PushMade {
  /** null: the push made the branch. */
  readonly before: string | null;
  readonly by: Account;
}

export interface BranchHead {
  readonly sha: string;
  readonly message: string;
}

export interface ChangedFiles {
  readonly paths: readonly string[];
  /** GitHub lists at most 3,000 files of a pull request and 300 of a comparison. */
  readonly truncated: boolean;
}

export interface CommitAuthors {
  readonly accounts: readonly Account[];
  /** Names of authors or committers without a GitHub account. */
  readonly unmapped: readonly string[];
}

/** maintain counts as write, triage as read, as GitHub itself reports it. */
export type Permission = 'admin' | 'write' | 'read' | 'none';

export interface Writer extends Account {
  readonly permission: 'admin' | 'write';
}

export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly state: 'open' | 'closed';
  readonly merged: boolean;
  readonly draft: boolean;
  readonly author: Account;
  readonly headSha: string;
  readonly headRef: string;
  /** Numeric id of the repository that the head branch lives in; null when that repository is gone. */
  readonly headRepositoryId: number | null;
  readonly baseRef: string;
  readonly baseSha: string;
  readonly mergeSha: string | null;
  /** Absent before the merge, and where GitHub lists pull requests: only one asked for by itself has it. */
  readonly mergedBy?: Account;
}

export interface OpenPullRequest extends PullRequest {
  /** Moves with pushes, comments and reviews. */
  readonly updatedAt: string;
}

type CheckStatus = CheckRunView['status'];
type CheckConclusion = NonNullable<CheckRunView['conclusion']>;

/** What a check run shows, and what only its sender knows. */
export interface CheckRunDraft extends Omit<CheckRunView, 'stage'> {
  readonly headSha: string;
  readonly externalId: string;
}

export interface CheckRunRef {
  readonly id: number;
  readonly name: string;
  readonly externalId: string;
  readonly status: CheckStatus;
  readonly conclusion: CheckConclusion | null;
}

/** A review body can be read but GitHub's REST API takes no reactions on it. */
export interface CommentRef {
  readonly kind: 'issue-comment' | 'review' | 'review-comment';
  readonly id: number;
  readonly nodeId: string;
}

/** Same shape as the event that a webhook would have made. */
export type HumanText = Extract<WebhookEvent, { kind: 'human-text' }>;

export type Reaction = '+1' | '-1' | 'confused' | 'eyes' | 'rocket';

export interface DeliveryRecord {
  readonly id: number;
  readonly guid: string;
  readonly event: string;
  readonly deliveredAt: string;
  readonly ok: boolean;
}
