/** What goes wrong on demand. Each fault names what it strikes, strikes `times` (once unless said), and counts. */

export interface WebhookMatch {
  readonly event?: string;
  readonly action?: string;
  readonly when?: (delivery: {
    readonly event: string;
    readonly action: string | null;
    readonly payload: unknown;
  }) => boolean;
  /** Infinity strikes until cancelled. */
  readonly times?: number;
}

export interface RequestMatch {
  readonly method?: string;
  /** A part of the path, or a pattern for it. */
  readonly path?: string | RegExp;
  readonly times?: number;
}

export interface Fault {
  struck(): number;
  cancel(): void;
}

export interface Held extends Fault {
  /** Sends what was held, in the order of the events, and holds no more. */
  release(): void;
}

/** What a person of the tests can ask for. */
export interface Faults {
  /** Never reaches the app; the delivery log shows a failure, as for an app that was away. */
  dropWebhooks(match?: WebhookMatch): Fault;
  /** Sent twice with one GUID. */
  duplicateWebhooks(match?: WebhookMatch): Fault;
  /** Sent later; what comes after overtakes it. */
  delayWebhooks(match: WebhookMatch & { readonly ms: number }): Fault;
  /** Sent when released; what comes after overtakes it. */
  holdWebhooks(match?: WebhookMatch): Held;
  /** The request takes effect, and the answer is a 502. Without a method: any write. */
  loseAnswers(match?: RequestMatch): Fault;
  /** 403 with `retry-after`: the secondary rate limit. */
  limitRequests(match: RequestMatch & { readonly retryAfterSeconds: number }): Fault;
  /** No effect, and this status. */
  failRequests(match: RequestMatch & { readonly status: number }): Fault;
  /** The connection breaks before anything is done. */
  cutRequests(match?: RequestMatch): Fault;
  slowRequests(match: RequestMatch & { readonly ms: number }): Fault;
  /** For each merge the first `times` answers of commits/{sha}/pulls do not know it yet. */
  lagPullRequestsOfMerges(times: number): Fault;
  clear(): void;
}

export type WebhookEffect =
  | { readonly kind: 'drop' | 'duplicate' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'hold'; readonly released: Promise<void> };

type RequestEffect =
  | { readonly kind: 'lose' | 'cut' }
  | { readonly kind: 'limit'; readonly retryAfterSeconds: number }
  | { readonly kind: 'fail'; readonly status: number }
  | { readonly kind: 'slow'; readonly ms: number };

interface Delivered {
  readonly event: string;
  readonly action: string | null;
  readonly payload: unknown;
}

/** What the stand-in itself asks. Asking counts as a strike. */
export interface FaultBook {
  readonly knobs: Faults;
  webhookEffects(delivery: Delivered): readonly WebhookEffect[];
  requestEffects(method: string, path: string): readonly RequestEffect[];
  mergeIsKnown(sha: string): boolean;
}

interface Entry<Subject, Effect> {
  readonly effect: Effect;
  readonly matches: (subject: Subject) => boolean;
  left: number;
  struck: number;
}

interface Request {
  readonly method: string;
  readonly path: string;
}

export function faultBook(): FaultBook {
  const webhooks: Entry<Delivered, WebhookEffect>[] = [];
  const requests: Entry<Request, RequestEffect>[] = [];
  const lag = { times: 0, struck: 0, asked: new Map<string, number>() };
  return {
    knobs: { ...webhookKnobs(webhooks), ...requestKnobs(requests), ...otherKnobs(webhooks, requests, lag) },
    webhookEffects: (delivery) => strike(webhooks, delivery),
    requestEffects: (method, path) => strike(requests, { method, path }),
    mergeIsKnown(sha) {
      const asked = lag.asked.get(sha) ?? 0;
      lag.asked.set(sha, asked + 1);
      if (asked >= lag.times) return true;
      lag.struck += 1;
      return false;
    },
  };
}

function strike<Subject, Effect>(entries: Entry<Subject, Effect>[], subject: Subject): readonly Effect[] {
  const struck = entries.filter((entry) => entry.left > 0 && entry.matches(subject));
  for (const entry of struck) {
    entry.left -= 1;
    entry.struck += 1;
  }
  return struck.map((entry) => entry.effect);
}

function add<Subject, Effect>(
  entries: Entry<Subject, Effect>[],
  effect: Effect,
  matches: (subject: Subject) => boolean,
  times = 1,
): Fault {
  const entry = { effect, matches, left: times, struck: 0 };
  entries.push(entry);
  return { struck: () => entry.struck, cancel: () => void (entry.left = 0) };
}

type WebhookKnobs = Pick<Faults, 'dropWebhooks' | 'duplicateWebhooks' | 'delayWebhooks' | 'holdWebhooks'>;

function webhookKnobs(entries: Entry<Delivered, WebhookEffect>[]): WebhookKnobs {
  const put = (effect: WebhookEffect, match: WebhookMatch) => add(entries, effect, webhookMatcher(match), match.times);
  return {
    dropWebhooks: (match = {}) => put({ kind: 'drop' }, match),
    duplicateWebhooks: (match = {}) => put({ kind: 'duplicate' }, match),
    delayWebhooks: (match) => put({ kind: 'delay', ms: match.ms }, match),
    holdWebhooks(match = {}) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const fault = put({ kind: 'hold', released: promise }, match);
      return {
        ...fault,
        release() {
          fault.cancel();
          resolve();
        },
      };
    },
  };
}

function webhookMatcher(match: WebhookMatch): (delivery: Delivered) => boolean {
  return (delivery) =>
    (match.event === undefined || match.event === delivery.event) &&
    (match.action === undefined || match.action === delivery.action) &&
    (match.when?.(delivery) ?? true);
}

type RequestKnobs = Pick<Faults, 'loseAnswers' | 'limitRequests' | 'failRequests' | 'cutRequests' | 'slowRequests'>;

function requestKnobs(entries: Entry<Request, RequestEffect>[]): RequestKnobs {
  const put = (effect: RequestEffect, match: RequestMatch) => add(entries, effect, requestMatcher(match), match.times);
  const isWrite = (request: Request) => request.method !== 'GET' && !request.path.endsWith('/access_tokens');
  return {
    loseAnswers(match = {}) {
      const matches = requestMatcher(match);
      return add(entries, { kind: 'lose' }, (request) => isWrite(request) && matches(request), match.times);
    },
    limitRequests: (match) => put({ kind: 'limit', retryAfterSeconds: match.retryAfterSeconds }, match),
    failRequests: (match) => put({ kind: 'fail', status: match.status }, match),
    cutRequests: (match = {}) => put({ kind: 'cut' }, match),
    slowRequests: (match) => put({ kind: 'slow', ms: match.ms }, match),
  };
}

function requestMatcher(match: RequestMatch): (request: Request) => boolean {
  const { method, path } = match;
  return (request) =>
    (method === undefined || method === request.method) &&
    (path === undefined || (typeof path === 'string' ? request.path.includes(path) : path.test(request.path)));
}

function otherKnobs(
  webhooks: { left: number }[],
  requests: { left: number }[],
  lag: { times: number; struck: number },
): Pick<Faults, 'lagPullRequestsOfMerges' | 'clear'> {
  return {
    lagPullRequestsOfMerges(times) {
      lag.times = times;
      return { struck: () => lag.struck, cancel: () => void (lag.times = 0) };
    },
    clear() {
      for (const entry of [...webhooks, ...requests]) entry.left = 0;
      lag.times = 0;
    },
  };
}
