import { setTimeout as sleep } from 'node:timers/promises';
import { killLeftover, type ProcessIdentity } from '../buildspec/processes.ts';
import { describeError, TransientError, UserError } from '../errors.ts';
import { nameOfToken, readActionRecord, writeActionRecord, type ActionRecord } from './action-record.ts';
import type { ActionReport } from './provider.ts';
import { failed, type EndReport } from './reports.ts';

/**
 * Work of actions that goes on after `start` has returned. One token is one piece of work, also over a restart:
 * what had ended is reported as it ended, what was cut off is `ActionLost` unless the work says that it may be repeated.
 */
export interface Background {
  start(work: Work): Promise<ActionReport>;
  /** Work of a process that is gone is lost, unless it is handed over as one that may be repeated. */
  poll(token: string, repeatable?: Work): Promise<ActionReport>;
  stop(token: string): Promise<void>;
}

export interface Work {
  readonly token: string;
  readonly externalId: string;
  /** Doing it twice does no harm. */
  readonly repeatable: boolean;
  /** Counts against the number of actions that may run at once. */
  readonly heavy: boolean;
  run(context: WorkContext): Promise<EndReport>;
  changed(): void;
}

export interface WorkContext {
  /** Aborted by `stop`. */
  readonly signal: AbortSignal;
  /** Of the first start, also when this is a repeated one. */
  readonly startedAt: Date;
  /** To be called as soon as a process runs: what a later life has to kill. */
  recordProcess(identity: ProcessIdentity): Promise<void>;
}

interface Current {
  readonly work: Work;
  readonly abort: AbortController;
  readonly ended: Promise<EndReport>;
}

const pollAfterMs = 10_000;

/** Work that takes the process with it each time must not do so for ever. */
const mostLives = 3;

export function createBackground(home: string, maxConcurrent: number): Background {
  const current = new Map<string, Current>();
  const enter = createGate(maxConcurrent);
  const start: Background['start'] = async (work) => {
    const known = current.get(work.token);
    if (known !== undefined) return running(known.work);
    const record = await readActionRecord(home, work.token);
    if (record?.report !== undefined) return record.report;
    const lives = (record?.lives ?? 1) + (record === null ? 0 : 1);
    if (record !== null && (!work.repeatable || lives > mostLives)) return lose(home, record);
    // Two calls may have come this far; the map decides.
    if (current.has(work.token)) return running(work);
    const startedAt = record?.startedAt ?? new Date().toISOString();
    const abort = new AbortController();
    const ended = perform(home, work, { startedAt, lives, abort, enter })
      // The record could not be written, so nobody will know how it ended: the next poll says that it is lost.
      .catch((error: unknown) => failed('InternalError', describeError(error)))
      .finally(() => {
        current.delete(work.token);
        work.changed();
      });
    current.set(work.token, { work, abort, ended });
    return running(work);
  };
  return {
    start,
    poll: async (token, repeatable) => {
      const known = current.get(token);
      if (known !== undefined) return running(known.work);
      const record = await readActionRecord(home, token);
      if (record !== null && record.report === undefined && repeatable) return start(repeatable);
      return record?.report ?? lose(home, record ?? { token, startedAt: new Date().toISOString() });
    },
    stop: async (token) => {
      const known = current.get(token);
      known?.abort.abort();
      await known?.ended;
      const record = known === undefined ? await readActionRecord(home, token) : null;
      if (record?.process !== undefined && record.report === undefined) await killLeftover(record.process);
    },
  };
}

function running(work: Work): ActionReport {
  return { kind: 'running', externalId: work.externalId, pollAfterMs };
}

interface Performance {
  readonly startedAt: string;
  readonly lives: number;
  readonly abort: AbortController;
  readonly enter: Gate;
}

async function perform(home: string, work: Work, { startedAt, lives, abort, enter }: Performance): Promise<EndReport> {
  let record: ActionRecord = { token: work.token, startedAt, lives };
  // Queued before anything is awaited: places are given in the order of the starts.
  const place = work.heavy ? enter(abort.signal) : Promise.resolve(() => {});
  await writeActionRecord(home, record);
  const leave = await place;
  try {
    const report = await endOf(work, {
      signal: abort.signal,
      startedAt: new Date(startedAt),
      recordProcess: async (process) => {
        record = { ...record, process };
        await writeActionRecord(home, record);
      },
    });
    await writeActionRecord(home, { ...record, report });
    return report;
  } finally {
    leave();
  }
}

const pausesMs = [1_000, 5_000, 15_000];

/** Never throws: the other side being away is tried again a few times, everything else is a failed action. */
async function endOf(work: Work, context: WorkContext): Promise<EndReport> {
  for (let attempt = 0; ; attempt += 1) {
    if (context.signal.aborted) return failed('JobFailed', 'The action was stopped.');
    try {
      return await work.run(context);
    } catch (error) {
      if (context.signal.aborted) return failed('JobFailed', 'The action was stopped.');
      const pause = pausesMs[attempt];
      if (error instanceof UserError) return failed('ConfigurationError', error.message);
      const again = error instanceof TransientError && pause !== undefined && work.repeatable;
      if (!again) return failed('InternalError', describeError(error));
      await sleep(error.retryAfterMs ?? pause, undefined, { signal: context.signal }).catch(() => {});
    }
  }
}

async function lose(home: string, record: ActionRecord): Promise<ActionReport> {
  const left = record.process !== undefined && (await killLeftover(record.process));
  const rest = left ? ' What it had left running was ended.' : '';
  const report = failed(
    'ActionLost',
    `The process that ran this action is gone, and so is its result.${rest} Retry the stage.`,
  );
  await writeActionRecord(home, { ...record, report });
  return report;
}

/** Waits for a free place and gives the function that frees it again. Waiting ends when the signal is aborted. */
type Gate = (signal: AbortSignal) => Promise<() => void>;

function createGate(places: number): Gate {
  let free = places;
  const queue: (() => void)[] = [];
  const leave = (): void => {
    const next = queue.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return (signal) =>
    new Promise((resolve) => {
      const enter = (): void => resolve(leave);
      if (free > 0) {
        free -= 1;
        return enter();
      }
      queue.push(enter);
      signal.addEventListener('abort', () => {
        const place = queue.indexOf(enter);
        if (place < 0) return;
        queue.splice(place, 1);
        resolve(() => {});
      });
    });
}

/** Work that may be done twice, and waits for no place. */
export function repeatableWork(action: Pick<Work, 'token' | 'changed'>, run: Work['run']): Work {
  const { token } = action;
  return { token, externalId: localId(token), repeatable: true, heavy: false, run, changed: () => action.changed() };
}

/** The external id of local work: it says nothing but which token it belongs to. */
export function localId(token: string): string {
  return `local:${nameOfToken(token)}`;
}
