import type { ColumnType, Generated } from 'kysely';
import type { BigInt8, GeneratedTimestamp, Json, NullableTimestamp } from './column-types.ts';
import type { AskedOfEngine } from './human-commands.ts';

/** What people asked, answered and were told. */
export interface PeopleTables {
  pull_request_heads: PullRequestHeadTable;
  human_commands: HumanCommandTable;
  refusals: RefusalTable;
  votes: VoteTable;
  audit: AuditTable;
}

/** When each head of a pull request was first seen: what was head when a comment was written. */
interface PullRequestHeadTable {
  repository_id: BigInt8;
  number: number;
  head_sha: string;
  base_ref: string;
  base_sha: string;
  author_id: BigInt8;
  pushed_by: BigInt8 | null;
  seen_at: GeneratedTimestamp;
}

/** Commands that people gave, by the comment, review or button they came from: each is obeyed once. */
interface HumanCommandTable {
  source: string;
  repository_id: BigInt8;
  pull_request: number | null;
  person_id: BigInt8;
  login: string;
  text: string;
  outcome: string | null;
  answer: string | null;
  /** The delivery or sweep that works on it, since when. */
  claimer: string | null;
  claimed_at: GeneratedTimestamp;
  at: GeneratedTimestamp;
  /** Rows of the audit that tell of it. */
  recorded: Generated<string[]>;
  /** By key; see human-commands.ts. */
  asked: ColumnType<Readonly<Record<string, AskedOfEngine>>, string | undefined, string>;
}

/** Who was refused in words lately; see refusals.ts. */
interface RefusalTable {
  repository_id: BigInt8;
  person_id: BigInt8;
  /** The comment, review or button that was answered. */
  source: string;
  told_at: GeneratedTimestamp;
  /** Since then, when they went on. */
  permission: 'read' | 'none' | null;
  asked_at: NullableTimestamp;
}

/** One person's answer to one gate (SEC R1). */
interface VoteTable {
  id: Generated<BigInt8>;
  repository_id: BigInt8;
  pull_request: number | null;
  execution_id: string;
  stage: string;
  action: string;
  /** The waiting attempt's id. */
  token: string;
  head_sha: string;
  base_sha: string | null;
  config_digest: string;
  person_id: BigInt8;
  login: string;
  answer: 'approve' | 'reject' | 'withdrawn';
  channel: 'comment' | 'button' | 'review';
  source: string;
  reason: string;
  at: GeneratedTimestamp;
}

interface AuditTable {
  id: Generated<BigInt8>;
  at: GeneratedTimestamp;
  repository_id: BigInt8 | null;
  execution_id: string | null;
  who: string;
  what: string;
  why: string;
  detail: Json<Readonly<Record<string, unknown>>>;
  /** Hash of the row before it in its repository; the database fills in both. */
  previous: Generated<string>;
  hash: Generated<string>;
}
