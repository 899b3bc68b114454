import type { Channel } from './gate-policy.ts';

/** What is known of a gate when it is judged, and what the judgement says. Rules: approval-rules.ts. */

export interface GatePerson {
  readonly id: number;
  readonly login: string;
}

/** What GitHub said about a person just now. `unknown` never counts (SEC-B-06). */
export interface PersonFacts extends GatePerson {
  readonly bot: boolean;
  readonly permission: 'admin' | 'write' | 'read' | 'none' | 'unknown';
  /** Active memberships, `organisation/team-slug`, among the teams that the policy or CODEOWNERS name. */
  readonly teams: readonly string[];
}

/** One row of `votes`: what a person said, and what exactly it was bound to (SEC R1). */
export interface Vote {
  readonly person: GatePerson;
  readonly answer: 'approve' | 'reject' | 'withdrawn';
  readonly channel: Channel;
  readonly reason: string;
  readonly at: string;
  readonly binding: Binding;
}

/** What a gate is, and what a vote was given for: all of it must be equal. */
export interface Binding {
  readonly execution: string;
  readonly token: string;
  readonly headSha: string;
  readonly baseSha: string | null;
  readonly configDigest: string;
}

export interface GateFacts {
  readonly binding: Binding;
  /** ISO 8601: when the gate began to wait. */
  readonly waitingSince: string;
  /** ISO 8601. */
  readonly now: string;
  /** In the order they were given. */
  readonly votes: readonly Vote[];
  /** Everybody who voted, and everybody known who could. */
  readonly people: readonly PersonFacts[];
  /** There are more who might; their teams were not asked for. */
  readonly peopleCut?: boolean;
  readonly author?: GatePerson;
  readonly lastPusher?: GatePerson;
  readonly committers: readonly GatePerson[];
  /** Names of commit authors without a GitHub account. */
  readonly unmappedAuthors: readonly string[];
  readonly fork: boolean;
  /** One entry per different set of owners among the touched files; `unknown` when the list of files is cut. */
  readonly owners: readonly OwnedFiles[] | 'unknown';
  /** Lines of CODEOWNERS that cannot be read. */
  readonly skippedOwnerLines?: readonly number[];
}

export interface OwnedFiles {
  /** As CODEOWNERS writes them: `@login`, `@organisation/team` or an e-mail address. */
  readonly owners: readonly string[];
  /** Touched files with these owners. */
  readonly files: readonly string[];
  /** Further ones that are not listed. */
  readonly more?: number;
}

export interface GateVerdict {
  readonly outcome: 'approved' | 'rejected' | 'expired' | 'waiting';
  /** Different people needed and had. */
  readonly needed: number;
  readonly had: number;
  readonly counted: readonly CountedVote[];
  readonly notCounted: readonly UncountedVote[];
  /** The policy as a tree: each node says whether it holds and, if not, who is missing. */
  readonly explanation: Explanation;
  /** Logins of people, known to us, whose approval would count now. */
  readonly whoCould: readonly string[];
  readonly warnings: readonly string[];
}

export interface CountedVote {
  readonly person: GatePerson;
  readonly answer: 'approve' | 'reject';
  readonly channel: Channel;
  readonly reason: string;
  readonly at: string;
}

export interface UncountedVote {
  readonly person: GatePerson;
  readonly answer: 'approve' | 'reject' | 'withdrawn';
  readonly at: string;
  /** Reads on from "does not count:". */
  readonly why: string;
}

export interface Explanation {
  readonly holds: boolean;
  /** Plain words, for example `2 people from acme/release`. */
  readonly text: string;
  readonly countedLogins: readonly string[];
  readonly couldLogins: readonly string[];
  readonly children: readonly Explanation[];
}
