/** What the stand-in remembers. Git holds commits and files; `refs` mirrors git's refs so that a look-up costs nothing. */

export type AccountType = 'User' | 'Bot' | 'Organization';
export type Role = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none';

export interface Account {
  readonly id: number;
  login: string;
  readonly type: AccountType;
}

/** One move of a ref. */
export interface Activity {
  readonly id: number;
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly at: Date;
  readonly by: Account;
}

export interface Repository {
  readonly id: number;
  owner: Account;
  name: string;
  /** The bare git repository on disk. */
  readonly path: string;
  readonly defaultBranch: string;
  readonly private: boolean;
  readonly forkOf: Repository | null;
  readonly createdAt: Date;
  pushedAt: Date;
  /** Oldest first. */
  readonly activities: Activity[];
  /** Full ref name to commit. */
  readonly refs: Map<string, string>;
  /** Lower-case login to the role that was granted. */
  readonly roles: Map<string, Role>;
  /** Branch to the names of checks that must pass before anything is merged into it. */
  readonly requiredChecks: Map<string, readonly string[]>;
  readonly pullRequests: Map<number, PullRequest>;
  nextNumber: number;
}

export interface PullRequest {
  readonly id: number;
  readonly number: number;
  readonly repository: Repository;
  readonly author: Account;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  draft: boolean;
  readonly head: { readonly repository: Repository; readonly ref: string; sha: string };
  readonly base: { ref: string; sha: string };
  merged: { readonly sha: string; readonly by: Account; readonly at: Date } | null;
  readonly createdAt: Date;
  updatedAt: Date;
  closedAt: Date | null;
}

/** A comment in a pull request's conversation. */
export interface Comment {
  readonly id: number;
  readonly repository: Repository;
  readonly number: number;
  readonly author: Account;
  readonly viaApp: boolean;
  body: string;
  readonly createdAt: Date;
  updatedAt: Date;
}

type ReviewState = 'approved' | 'changes_requested' | 'commented' | 'dismissed';

export interface Review {
  readonly id: number;
  readonly pullRequest: PullRequest;
  readonly author: Account;
  state: ReviewState;
  body: string | null;
  sha: string;
  readonly submittedAt: Date;
}

/** A comment on a line of the diff. */
export interface ReviewComment {
  readonly id: number;
  readonly review: Review;
  readonly author: Account;
  readonly body: string;
  readonly path: string;
  readonly line: number;
  readonly createdAt: Date;
}

export type ReactionContent = '+1' | '-1' | 'laugh' | 'confused' | 'heart' | 'hooray' | 'rocket' | 'eyes';

export interface Reaction {
  readonly id: number;
  /** The comment that was reacted to. Ids are unique over all kinds of comments here. */
  readonly subject: number;
  readonly author: Account;
  readonly content: ReactionContent;
  readonly createdAt: Date;
}

export type CheckStatus = 'queued' | 'in_progress' | 'completed';

export interface CheckAction {
  readonly label: string;
  readonly description: string;
  readonly identifier: string;
}

export interface CheckAnnotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly start_column?: number;
  readonly end_column?: number;
  readonly annotation_level: 'notice' | 'warning' | 'failure';
  readonly message: string;
  readonly title?: string;
  readonly raw_details?: string;
}

interface CheckOutput {
  title: string | null;
  summary: string | null;
  text: string | null;
  annotations: readonly CheckAnnotation[];
}

export interface CheckRun {
  readonly id: number;
  readonly suite: CheckSuite;
  name: string;
  externalId: string;
  detailsUrl: string;
  status: CheckStatus;
  conclusion: string | null;
  startedAt: Date;
  completedAt: Date | null;
  output: CheckOutput;
  actions: readonly CheckAction[];
}

/** One App on one commit. */
export interface CheckSuite {
  readonly id: number;
  readonly repository: Repository;
  readonly headSha: string;
  readonly headBranch: string | null;
  readonly before: string | null;
  /** Asked for again and not answered yet: queued, whatever its runs say. */
  reset: boolean;
  readonly createdAt: Date;
  updatedAt: Date;
}

export interface MergeGroup {
  readonly repository: Repository;
  readonly pullRequest: PullRequest;
  readonly headSha: string;
  readonly headRef: string;
  readonly baseSha: string;
  readonly baseRef: string;
}

export interface Team {
  readonly id: number;
  readonly organization: string;
  readonly slug: string;
  readonly parent: string | null;
  readonly members: Map<string, 'active' | 'pending'>;
}

export interface Installation {
  readonly id: number;
  readonly account: Account;
  /** null: every repository of the account. */
  repositories: Set<number> | null;
  suspendedAt: Date | null;
  readonly createdAt: Date;
}

export interface Token {
  readonly value: string;
  readonly installation: Installation;
  /** null: every repository of the installation. */
  readonly repositories: ReadonlySet<number> | null;
  readonly permissions: Readonly<Record<string, string>>;
  readonly expiresAt: Date;
  used: number;
}

export interface State {
  readonly accounts: Map<string, Account>;
  readonly repositories: Map<number, Repository>;
  /** Lower-case owner/name that a repository had before. */
  readonly formerNames: Map<string, Repository>;
  readonly comments: Map<number, Comment>;
  readonly reviews: Map<number, Review>;
  readonly reviewComments: Map<number, ReviewComment>;
  readonly reactions: Map<number, Reaction>;
  readonly checkRuns: Map<number, CheckRun>;
  readonly checkSuites: Map<number, CheckSuite>;
  readonly mergeGroups: Map<string, MergeGroup>;
  readonly teams: Map<string, Team>;
  readonly installations: Map<number, Installation>;
  readonly tokens: Map<string, Token>;
  nextId(): number;
}

export function emptyState(): State {
  let last = 1000;
  return {
    accounts: new Map(),
    repositories: new Map(),
    formerNames: new Map(),
    comments: new Map(),
    reviews: new Map(),
    reviewComments: new Map(),
    reactions: new Map(),
    checkRuns: new Map(),
    checkSuites: new Map(),
    mergeGroups: new Map(),
    teams: new Map(),
    installations: new Map(),
    tokens: new Map(),
    nextId: () => (last += 1),
  };
}

export function fullName(repository: Repository): string {
  return `${repository.owner.login}/${repository.name}`;
}
