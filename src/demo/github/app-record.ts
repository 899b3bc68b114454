/** The one GitHub App that the stand-in knows. */
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

export interface AppRecord {
  readonly id: number;
  slug: string;
  name: string;
  webhookSecret: string;
  readonly privateKey: string;
  readonly publicKey: string;
  /** Permission to `read` or `write`. */
  permissions: Readonly<Record<string, string>>;
  events: readonly string[];
  webhookUrl: string | null;
  readonly createdAt: Date;
}

export const defaultPermissions: Readonly<Record<string, string>> = {
  checks: 'write',
  contents: 'read',
  deployments: 'write',
  issues: 'write',
  members: 'read',
  merge_queues: 'read',
  metadata: 'read',
  pull_requests: 'write',
};

export const defaultEvents: readonly string[] = [
  'check_run',
  'check_suite',
  'issue_comment',
  'merge_group',
  'pull_request',
  'pull_request_review',
  'pull_request_review_comment',
  'push',
  'repository',
];

interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

let pair: Promise<KeyPair> | null = null;

/** Making a key takes longer than everything else at start, so a process makes one and keeps it. */
export function appKeys(): Promise<KeyPair> {
  pair ??= promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return pair;
}
