import type { Logger } from 'pino';
import type { Kysely } from 'kysely';
import type { Database } from './db/database.ts';
import { buryLostJobs, failJob, releaseJob, rescheduleJob } from './db/job-endings.ts';
import { readPayload, type JobKind, type JobPayloads } from './db/job-payloads.ts';
import { claimDueJobs, extendLease, extendLeases, finishJob, nextDueInMs, type ClaimedJob } from './db/jobs.ts';
import { classify, describeError, TransientError } from './errors.ts';

interface JobContext {
  readonly job: ClaimedJob;
  /** Aborted when the lease is lost, or when the process stops and the job had its time. */
  readonly signal: AbortSignal;
  /** Asks the database, and renews the lease. To be asked right before a side effect that must not happen twice. */
  readonly stillMine: () => Promise<boolean>;
}

/** Looks at the newest state, so that running it again does no harm. An answer asks for another look later. */
type JobHandler<K extends JobKind> = (
  payload: JobPayloads[K],
  context: JobContext,
) => Promise<{ readonly againAfterMs: number } | undefined | void>;

export type JobHandlers = { readonly [K in JobKind]: JobHandler<K> };

export interface WorkerOptions {
  readonly db: Kysely<Database>;
  readonly listen: (channel: 'penstock_jobs', onNotify: () => void) => Promise<() => Promise<void>>;
  /** Only kinds that have a handler are claimed; a newer replica's kinds wait for it. */
  readonly handlers: Partial<JobHandlers>;
  /** Unique per process: the lease holder. */
  readonly worker: string;
  readonly host: string;
  readonly concurrency: number;
  readonly log: Pick<Logger, 'debug' | 'warn' | 'error'>;
  /** How long a job of a vanished worker waits; 30 s unless told otherwise. */
  readonly leaseMs?: number;
  /** The longest sleep between two looks at the queue; 1 s unless told otherwise. */
  readonly pollMs?: number;
}

export interface Worker {
  /** Takes nothing new, waits for what runs, aborts it after the deadline and hands it back. */
  drain(deadlineMs: number): Promise<void>;
  /** Look at the queue now. */
  nudge(): void;
  /** Resolves when nothing that this worker may claim is due or running here. */
  idle(): Promise<void>;
}

/** Claims and runs jobs until it is drained. It starts at once. */
export function runWorker(options: WorkerOptions): Worker {
  const loop = new WorkLoop(options);
  return { drain: (deadlineMs) => loop.drain(deadlineMs), nudge: () => loop.nudge(), idle: () => loop.idle() };
}

interface Running {
  readonly job: ClaimedJob;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** Time that aborted handlers get to hand their jobs back when the process stops. */
const afterAbortMs = 2_000;

class WorkLoop {
  readonly #options: WorkerOptions;
  readonly #kinds: readonly JobKind[];
  readonly #leaseMs: number;
  readonly #pollMs: number;
  readonly #running = new Map<number, Running>();
  readonly #heart: NodeJS.Timeout;
  readonly #ended: Promise<void>;
  #idleWaiters: (() => void)[] = [];
  #stopping = false;
  #nudged = false;
  #wake: () => void = () => {};
  #stopListening: (() => Promise<void>) | undefined;
  #drained: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#kinds = Object.keys(options.handlers) as JobKind[];
    this.#leaseMs = options.leaseMs ?? 30_000;
    this.#pollMs = options.pollMs ?? 1_000;
    this.#heart = setInterval(() => void this.#beat(), this.#leaseMs / 3);
    this.#ended = this.#loop();
  }

  nudge(): void {
    this.#nudged = true;
    this.#wake();
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idleWaiters.push(resolve);
      this.nudge();
    });
  }

  drain(deadlineMs: number): Promise<void> {
    this.#drained ??= this.#drain(deadlineMs);
    return this.#drained;
  }

  async #loop(): Promise<void> {
    await this.#startListening();
    while (!this.#stopping) {
      this.#nudged = false;
      const waitMs = await this.#round().catch((error: unknown) => {
        this.#options.log.warn({ error: describeError(error) }, 'could not look at the queue');
        return this.#pollMs;
      });
      await this.#sleep(waitMs);
    }
  }

  /** One look at the queue. Answers how long nothing can be missed by sleeping; a hint may end the sleep early. */
  async #round(): Promise<number> {
    const { db, worker, host, concurrency } = this.#options;
    const waiters = this.#idleWaiters.splice(0);
    const limit = concurrency - this.#running.size;
    const claim = { worker, host, kinds: this.#kinds, limit, leaseMs: this.#leaseMs };
    // A job that ends while we look may leave more to do: only a look that began with nothing running can say "idle".
    const nothingRan = this.#running.size === 0;
    try {
      const before = performance.now();
      const claimed = limit > 0 ? await claimDueJobs(db, claim) : [];
      if (this.#stopping) {
        await Promise.all(claimed.map((job) => releaseJob(db, job)));
        return 0;
      }
      for (const job of claimed) this.#start(job);
      if (limit <= 0 || claimed.length === limit) return this.#pollMs;
      const dueInMs = await nextDueInMs(db, claim, performance.now() - before);
      if (nothingRan && claimed.length === 0) waiters.splice(0).forEach((resolve) => resolve());
      return Math.min(dueInMs ?? this.#pollMs, this.#pollMs * (0.5 + Math.random() / 2));
    } finally {
      this.#idleWaiters.push(...waiters);
    }
  }

  #sleep(ms: number): Promise<void> {
    if (this.#nudged || this.#stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #start(job: ClaimedJob): void {
    const abort = new AbortController();
    const ended = this.#run(job, abort.signal).finally(() => {
      this.#running.delete(job.id);
      this.nudge();
    });
    this.#running.set(job.id, { job, abort, ended });
  }

  async #run(job: ClaimedJob, signal: AbortSignal): Promise<void> {
    const { db, log } = this.#options;
    try {
      const answer = await this.#handle(job, signal);
      const held = answer ? (await rescheduleJob(db, job, answer.againAfterMs)) !== 'lost' : await finishJob(db, job);
      if (!held) log.warn({ job: job.id, kind: job.kind }, 'a job was done after its lease was lost; it is done again');
    } catch (error) {
      await this.#runFailed(job, signal, error).catch((second: unknown) => {
        // The lease runs out, and somebody takes the job again.
        log.warn({ job: job.id, kind: job.kind, error: describeError(second) }, 'could not record how a job ended');
      });
    }
  }

  #handle(job: ClaimedJob, signal: AbortSignal) {
    const handler = this.#options.handlers[job.kind] as JobHandler<JobKind>;
    const stillMine = () => extendLease(this.#options.db, job, this.#leaseMs);
    return handler(readPayload(job.kind, job.payload), { job, signal, stillMine });
  }

  async #runFailed(job: ClaimedJob, signal: AbortSignal, error: unknown): Promise<void> {
    const { db, log } = this.#options;
    if (signal.aborted) {
      await releaseJob(db, job);
      return;
    }
    const errorClass = classify(error);
    const retryAfterMs = error instanceof TransientError ? error.retryAfterMs : undefined;
    const ending = await failJob(db, job, {
      error: describeError(error),
      transient: errorClass === 'transient',
      final: errorClass === 'user',
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
    const about = { job: job.id, kind: job.kind, failures: job.failures + 1, ending };
    if (errorClass === 'broken') log.error({ ...about, err: error }, 'a job failed');
    else log.warn({ ...about, error: describeError(error) }, 'a job failed');
  }

  async #beat(): Promise<void> {
    const { db, log } = this.#options;
    const running = [...this.#running.values()];
    try {
      if (running.length > 0) {
        const held = await extendLeases(
          db,
          running.map(({ job }) => job),
          this.#leaseMs,
        );
        for (const { job, abort } of running) if (!held.has(job.id)) abort.abort(new Error('the lease was lost'));
      }
      const buried = await buryLostJobs(db);
      if (buried > 0) log.error({ buried }, 'jobs that lost their worker too often were given up');
      await this.#startListening();
    } catch (error) {
      log.warn({ error: describeError(error) }, 'could not renew the leases of running jobs');
    }
  }

  /** Without notifications the worker only polls: slower, never wrong. Tried again with each heartbeat. */
  async #startListening(): Promise<void> {
    if (this.#stopListening !== undefined || this.#stopping) return;
    try {
      this.#stopListening = await this.#options.listen('penstock_jobs', () => this.nudge());
    } catch (error) {
      this.#options.log.warn({ error: describeError(error) }, 'could not listen for new jobs; polling until it works');
    }
  }

  async #drain(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#ended;
    await this.#runningEnd(deadlineMs);
    for (const { abort } of this.#running.values()) abort.abort(new Error('the process stops'));
    await this.#runningEnd(afterAbortMs);
    clearInterval(this.#heart);
    await this.#stopListening?.();
  }

  async #runningEnd(withinMs: number): Promise<void> {
    if (this.#running.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs);
    });
    await Promise.race([Promise.all([...this.#running.values()].map(({ ended }) => ended)), late]);
    clearTimeout(timer);
  }
}
