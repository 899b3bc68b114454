import { TransientError, UserError } from '../errors.ts';

/** GitHub said no to a call, for good. `status` tells verbs what that means for them. */
export class GitHubRefusal extends Error {
  override readonly name = 'GitHubRefusal';
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** A limit was reached: nobody may ask for this installation before it ends. */
export class RateLimited extends TransientError {}

/** The answer is unclear: the call may have taken effect. */
export class Unclear extends TransientError {}

interface HttpFailure {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly answered: boolean;
}

const minuteMs = 60_000;
const statusesToTryAgain = new Set([408, 500, 502, 503, 504]);

/** What went wrong, in our words. Octokit's own errors hold the whole request, so they are not passed on. */
export function explainFailure(error: unknown, call: string, now: Date): Error {
  if (error instanceof TransientError || error instanceof UserError || error instanceof GitHubRefusal) return error;
  const failure = httpFailure(error);
  if (!failure) return unforeseen(error, call);
  const { status, message } = failure;
  if (!failure.answered) return new Unclear(`GitHub did not answer ${call}: ${message}`);
  if (isRateLimit(failure)) {
    const retryAfterMs = limitEnds(failure, now);
    return new RateLimited(`GitHub limits requests: ${call} may be repeated in ${Math.ceil(retryAfterMs / 1000)} s`, {
      retryAfterMs,
    });
  }
  if (status >= 500 || statusesToTryAgain.has(status)) {
    const retryAfterMs = secondsIn(failure.headers['retry-after']);
    return new Unclear(`GitHub answered ${status} to ${call}`, retryAfterMs === null ? {} : { retryAfterMs });
  }
  return new GitHubRefusal(`GitHub answered ${status} to ${call}: ${message.slice(0, 300)}`, status);
}

function httpFailure(error: unknown): HttpFailure | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null;
  const response = 'response' in error ? error.response : undefined;
  const headers = typeof response === 'object' && response !== null && 'headers' in response ? response.headers : {};
  return {
    status: error.status,
    message: error.message.split(' - http')[0] ?? '',
    headers: (headers ?? {}) as HttpFailure['headers'],
    answered: response !== undefined,
  };
}

function unforeseen(error: unknown, call: string): Error {
  const message = error instanceof Error ? error.message : String(error);
  const name = error instanceof Error ? error.name : '';
  if (name === 'BottleneckError') {
    return new TransientError(`Too many calls wait for GitHub already: ${call} was put off`, {
      retryAfterMs: minuteMs,
    });
  }
  if (name === 'AbortError' || name === 'TimeoutError') return new Unclear(`GitHub did not answer ${call} in time`);
  return new Error(`${call} failed: ${message.slice(0, 300)}`);
}

/** 403 is also GitHub's answer to a missing permission; what tells them apart is said in its documentation. */
function isRateLimit({ status, headers, message }: HttpFailure): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  return (
    headers['retry-after'] !== undefined ||
    headers['x-ratelimit-remaining'] === '0' ||
    /secondary rate limit|abuse detection/i.test(message)
  );
}

/** `retry-after`, else `x-ratelimit-reset`, else a minute, as GitHub asks. */
function limitEnds({ headers }: HttpFailure, now: Date): number {
  const after = secondsIn(headers['retry-after']);
  if (after !== null) return after;
  const reset = secondsIn(headers['x-ratelimit-reset']);
  if (headers['x-ratelimit-remaining'] === '0' && reset !== null) return Math.max(1000, reset - now.getTime() + 1000);
  return minuteMs;
}

function secondsIn(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,12}$/.test(header) ? Number(header) * 1000 : null;
}
