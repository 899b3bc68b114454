import { createHmac, timingSafeEqual } from 'node:crypto';
import { Hono, type Context } from 'hono';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from './db/database.ts';
import { recordDelivery, type NewDelivery } from './db/deliveries.ts';
import { describeError, UserError } from './errors.ts';

/**
 * The webhook door. Order matters: size and time are bounded while the bytes arrive, the signature over the raw bytes
 * is checked before anything is parsed or stored, and the answer comes after the commit. A 2xx therefore means that the
 * delivery cannot be lost any more; anything else shows up as failed at GitHub, where the sweep finds it.
 */
export const webhookPath = '/api/github/webhooks';

/** Options for node:http's server: slow headers are cut by it, slow bodies by the door itself. */
export const intakeServerOptions = { headersTimeout: 10_000, connectionsCheckingInterval: 1_000 } as const;

export interface IntakeOptions {
  readonly db: Kysely<Database>;
  /** The webhook secret, and while it is being replaced the other one too. */
  readonly secrets: readonly string[];
  readonly log: Pick<Logger, 'debug' | 'warn'>;
  readonly now: () => Date;
  readonly limits?: Partial<IntakeLimits>;
}

interface IntakeLimits {
  /** GitHub sends at most 25 MB. */
  readonly bodyBytes: number;
  /** Of all bodies that are arriving at one time; more is turned away with 503. */
  readonly arrivingBytes: number;
  readonly bodyMs: number;
  /** GitHub gives up after 10 s; the database gets this long. */
  readonly storeMs: number;
}

const mebibyte = 1024 * 1024;
const usualLimits: IntakeLimits = {
  bodyBytes: 26 * mebibyte,
  arrivingBytes: 256 * mebibyte,
  bodyMs: 15_000,
  storeMs: 4_000,
};

/** Refuses secrets that give no protection. Names what to do. */
export function checkSecrets(secrets: readonly string[]): void {
  const mend = 'Make one with `openssl rand -hex 32`, set it on the App at GitHub and in WEBHOOK_SECRET.';
  if (secrets.length === 0) throw new UserError(`WEBHOOK_SECRET is not set: anybody could send webhooks. ${mend}`);
  if (secrets.length > 2) throw new UserError('More than two webhook secrets are set: keep the new and the old one.');
  for (const secret of secrets) {
    const problem = secretProblem(secret);
    if (problem !== undefined) throw new UserError(`A webhook secret ${problem}. ${mend}`);
  }
}

function secretProblem(secret: string): string | undefined {
  if (secret.trim() === '') return 'is empty';
  if (secret === 'development') return 'is "development", which everybody knows';
  if (/replace|change.?me|example|your.?(webhook.?)?secret/i.test(secret)) return 'is the example from a document';
  if (secret.length < 32) return `has ${secret.length} characters, and at least 32 are needed`;
  return new Set(secret).size < 6 ? 'repeats a few characters' : undefined;
}

/** The routes of the door: POST /api/github/webhooks. Throws UserError for unusable secrets. */
export function createIntake(options: IntakeOptions): Hono {
  checkSecrets(options.secrets);
  const door: Door = { ...options, limits: { ...usualLimits, ...options.limits }, arriving: { bytes: 0 } };
  const warn = throttledWarning(options);
  const app = new Hono();
  app.post(webhookPath, async (context) => {
    const answer = await receive(door, context.req.raw);
    if (answer.status >= 400) warn(answer);
    // What is still to come of a refused body is not read: the connection goes.
    if (answer.close) context.header('connection', 'close');
    if (answer.status === 503) context.header('retry-after', '60');
    return respond(context, answer);
  });
  app.all(webhookPath, (context) => context.text('method not allowed\n', 405, { allow: 'POST' }));
  return app;
}

type Status = 200 | 202 | 400 | 401 | 408 | 413 | 415 | 503;

interface Answer {
  readonly status: Status;
  readonly text: string;
  readonly close?: boolean;
}

interface Door extends Omit<IntakeOptions, 'limits'> {
  readonly limits: IntakeLimits;
  /** Bytes of unfinished bodies. */
  readonly arriving: { bytes: number };
}

async function receive(door: Door, request: Request): Promise<Answer> {
  const head = readHead(request.headers, door.limits);
  if (head.kind === 'refused') return head.answer;
  const body = await readBody(door, request);
  if (body.kind === 'refused') return body.answer;
  if (!isSigned(body.bytes, head.signature, door.secrets)) return refusal(401, 'the signature does not match').answer;
  return store(door, { guid: head.guid, event: head.event, body: body.bytes });
}

interface Refused {
  readonly kind: 'refused';
  readonly answer: Answer;
}

function refusal(status: Status, text: string): Refused {
  return { kind: 'refused', answer: { status, text, close: true } };
}

type Head = { readonly kind: 'read'; readonly guid: string; readonly event: string; readonly signature: Buffer };

function readHead(headers: Headers, limits: IntakeLimits): Head | Refused {
  // SHA-1 signatures, upper case, and two joined headers do not fit this form.
  const signature = /^sha256=([0-9a-f]{64})$/.exec(headers.get('x-hub-signature-256') ?? '')?.[1];
  if (signature === undefined) return refusal(401, 'the header X-Hub-Signature-256 is missing or malformed');
  const guid = headers.get('x-github-delivery') ?? '';
  const event = headers.get('x-github-event') ?? '';
  if (!/^[\w-]{1,64}$/.test(guid)) return refusal(400, 'the header X-GitHub-Delivery is missing or malformed');
  if (!/^[\w.*-]{1,64}$/.test(event)) return refusal(400, 'the header X-GitHub-Event is missing or malformed');
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') return refusal(415, 'the content type must be application/json');
  if (Number(headers.get('content-length') ?? 0) > limits.bodyBytes) return refusal(413, 'the body is too large');
  return { kind: 'read', guid, event, signature: Buffer.from(signature, 'hex') };
}

type Body = { readonly kind: 'read'; readonly bytes: Buffer } | Refused;

async function readBody(door: Door, request: Request): Promise<Body> {
  const reader = request.body?.getReader();
  if (reader === undefined) return { kind: 'read', bytes: Buffer.alloc(0) };
  const { promise: late, resolve: beLate } = Promise.withResolvers<'late'>();
  const timer = setTimeout(beLate, door.limits.bodyMs, 'late');
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), late]);
      if (next === 'late') return refusal(408, 'the body came too slowly');
      if (next.done) return { kind: 'read', bytes: Buffer.concat(chunks, size) };
      const chunk = next.value as Uint8Array;
      size += chunk.byteLength;
      door.arriving.bytes += chunk.byteLength;
      if (size > door.limits.bodyBytes) return refusal(413, 'the body is too large');
      if (door.arriving.bytes > door.limits.arrivingBytes) return refusal(503, 'too much is arriving at once');
      chunks.push(chunk);
    }
  } catch {
    return refusal(400, 'the body ended early');
  } finally {
    clearTimeout(timer);
    door.arriving.bytes -= size;
    reader.cancel().catch(() => {});
  }
}

/** Constant time: every secret is tried, and equal lengths are given by the header's form. */
function isSigned(body: Buffer, signature: Buffer, secrets: readonly string[]): boolean {
  const matches = secrets.map((secret) => {
    return timingSafeEqual(createHmac('sha256', secret).update(body).digest(), signature);
  });
  return matches.includes(true);
}

/** After the deadline the answer is 503 although the commit may still succeed: the redelivery is then a repeat. */
async function store(door: Door, delivery: NewDelivery): Promise<Answer> {
  const { promise: late, resolve: beLate } = Promise.withResolvers<'late'>();
  const timer = setTimeout(beLate, door.limits.storeMs, 'late');
  try {
    const storing = door.db.transaction().execute((trx) => recordDelivery(trx, delivery));
    storing.catch(() => {});
    const stored = await Promise.race([storing, late]);
    if (stored === 'late') return { status: 503, text: 'the database does not answer' };
    door.log.debug({ delivery: delivery.guid, event: delivery.event, stored }, 'delivery');
    return stored === 'new' ? { status: 202, text: 'accepted' } : { status: 200, text: 'already accepted' };
  } catch (error) {
    door.log.warn({ delivery: delivery.guid, error: describeError(error) }, 'a delivery could not be stored');
    return { status: 503, text: 'the database is away' };
  } finally {
    clearTimeout(timer);
  }
}

function respond(context: Context, answer: Answer): Response {
  return context.text(`${answer.text}\n`, answer.status);
}

const warnEveryMs = 10_000;

/** A wrong secret is worth a line, but whoever can reach the door must not be able to fill the disk. Never a payload. */
function throttledWarning({ log, now }: Pick<IntakeOptions, 'log' | 'now'>): (answer: Answer) => void {
  let quietUntil = 0;
  let unsaid = 0;
  return ({ status, text }) => {
    const at = now().getTime();
    if (at < quietUntil) {
      unsaid += 1;
      return;
    }
    log.warn({ status, why: text, unsaid }, 'a webhook request was refused');
    quietUntil = at + warnEveryMs;
    unsaid = 0;
  };
}
