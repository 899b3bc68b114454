/** Who may answer a gate: what `gates:` in .github/penstock.yml says, with every default filled in (design 6a, 7). */
export interface GatePolicy {
  /** Different people who have to approve; at least 1. */
  readonly count: number;
  readonly from: Approvers;
  /** The author of the pull request, or of the pushed commits, counts. */
  readonly allowAuthor: boolean;
  readonly allowLastPusher: boolean;
  /** Authors and committers of the commits count. */
  readonly allowCommitters: boolean;
  /** Numeric account ids of bots whose answers count; only the server may set it. */
  readonly allowBots: readonly number[];
  readonly channels: readonly Channel[];
  /** Ask for the 40 digits of the commit always. Forks need them anyhow. */
  readonly requireSha: boolean;
  readonly expireAfterMs: number;
}

export type Channel = 'comment' | 'button' | 'review';

/**
 * A person counts who has `permission` and, when any of `users`, `teams` or `codeowners` is given, is in one of them,
 * and, when groups are given, counts in one of the groups. Besides, every group of `allOf` and one of `anyOf` must have
 * its own count; one person may count in several groups.
 */
export interface Approvers {
  readonly permission: 'write' | 'admin';
  /** Logins without `@`, or numeric account ids. Exact, ASCII case ignored; no patterns (SEC-B-10). */
  readonly users: readonly (string | number)[];
  /** `organisation/team-slug`, exact. */
  readonly teams: readonly string[];
  /** Owners of the touched files count, and every touched file that has owners needs one of them. */
  readonly codeowners: boolean;
  readonly anyOf: readonly ApproverGroup[];
  readonly allOf: readonly ApproverGroup[];
}

export interface ApproverGroup extends Approvers {
  readonly count: number;
}

const dayMs = 24 * 60 * 60 * 1000;

export const defaultApprovers: Approvers = {
  permission: 'write',
  users: [],
  teams: [],
  codeowners: false,
  anyOf: [],
  allOf: [],
};

/** One person with write access who had no part in the change, within CodePipeline's 7 days (CP-A-5). */
export const defaultGatePolicy: GatePolicy = {
  count: 1,
  from: defaultApprovers,
  allowAuthor: false,
  allowLastPusher: false,
  allowCommitters: false,
  allowBots: [],
  channels: ['comment', 'button', 'review'],
  requireSha: false,
  expireAfterMs: 7 * dayMs,
};
