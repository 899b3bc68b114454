import { Probot } from 'probot';
import type { Logger } from 'pino';
import { throttledOctokit, type WritePace } from './throttled-octokit.ts';

export interface ProbotOptions {
  readonly appId: number;
  readonly privateKey: string;
  /** Probot would fall back to `development` without one. */
  readonly secret: string;
  readonly baseUrl: string;
  readonly pace: WritePace;
  readonly log: Logger;
}

/**
 * Probot as a library: it routes events that were verified and stored before. It reads no environment and opens no
 * port, and its own Octokit keeps the same pace as ours. It says nothing: it would log whole payloads, also with the
 * error of a handler, and every failure comes back from `receive` to the worker, which tells it (SEC-T-02).
 */
export function createProbot({ appId, privateKey, secret, baseUrl, pace, log }: ProbotOptions): Probot {
  const quiet = log.child({ name: 'probot' }, { level: 'silent' });
  return new Probot({ appId, privateKey, secret, baseUrl, log: quiet, Octokit: throttledOctokit(pace) });
}
