import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActionPageData, ExecutionPageData } from './page-data.ts';
import { createTextCleaner, type TextCleaner } from './visible-text.ts';

/** What a page that is open hears about its execution. */
export type LiveEvent =
  | { readonly kind: 'log'; readonly id: string; readonly text: string; readonly start: boolean }
  | { readonly kind: 'state'; readonly state: string }
  | { readonly kind: 'end' };

export interface LiveSource {
  readonly loadExecution: (id: string) => Promise<ExecutionPageData | null>;
  readonly logFile: (execution: string, actionExecution: string) => string;
}

interface Following {
  readonly cleaner: TextCleaner;
  offset: number;
  started: boolean;
}

/** A page that opens late is given this much of what a running action has printed so far. */
const firstBytes = 64 * 1024;
const chunkBytes = 64 * 1024;

export function stateOf(data: ExecutionPageData): string {
  return createHash('sha256').update(JSON.stringify(data)).digest('base64url').slice(0, 16);
}

/** Ends after `end`, when the execution is gone, or when `signal` is aborted. */
export async function* followExecution(
  source: LiveSource,
  execution: string,
  signal: AbortSignal,
  pauseMs = 500,
): AsyncGenerator<LiveEvent> {
  const logs = new Map<string, Following>();
  let known = '';
  while (!signal.aborted) {
    const data = await source.loadExecution(execution);
    if (data === null) return;
    const running = actionsOf(data).filter((action) => action.running);
    for (const id of new Set([...logs.keys(), ...running.flatMap(({ id }) => id ?? [])])) {
      const isOver = !running.some((action) => action.id === id);
      yield* newText(source.logFile(execution, id), id, logs, isOver);
    }
    const state = stateOf(data);
    if (state !== known) yield { kind: 'state', state };
    known = state;
    if (!data.live) {
      yield { kind: 'end' };
      return;
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
}

async function* newText(file: string, id: string, logs: Map<string, Following>, isOver: boolean) {
  const following = logs.get(id) ?? { cleaner: createTextCleaner(), offset: -1, started: false };
  logs.set(id, following);
  for await (const bytes of newBytes(file, following)) yield logEvent(id, following, following.cleaner.push(bytes));
  if (!isOver) return;
  const rest = following.cleaner.flush();
  if (rest !== '') yield logEvent(id, following, rest);
  logs.delete(id);
}

function logEvent(id: string, following: Following, text: string): LiveEvent {
  const start = !following.started;
  following.started = true;
  return { kind: 'log', id, text, start };
}

async function* newBytes(file: string, following: Following): AsyncGenerator<Buffer> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return;
  try {
    const { size } = await handle.stat();
    if (following.offset === -1) following.offset = Math.max(0, size - firstBytes);
    while (following.offset < size) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(chunkBytes), 0, chunkBytes, following.offset);
      if (bytesRead === 0) return;
      following.offset += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function actionsOf(data: ExecutionPageData): readonly ActionPageData[] {
  return data.stages.flatMap((stage) => stage.actions);
}
