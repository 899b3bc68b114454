import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createKeptEnd } from './kept-end.ts';
import { createMasker } from './mask.ts';
import type { ActionLog } from './provider.ts';

/**
 * One action attempt's log file. Chunks are masked, then written at once: the writer of a flood waits for the disk,
 * so memory stays bounded and a reader sees every byte as it comes. Past the cap a notice takes the place of the
 * output, and the last part of it is kept in memory and written at the end, because failures stand there.
 */
export interface OpenActionLog extends ActionLog {
  /** Writes what is held back and closes the file; later writes are dropped. */
  close(): void;
}

export interface ActionLogOptions {
  readonly file: string;
  /** 64 MiB when absent. */
  readonly capBytes?: number;
  /** Values that must never reach the file. */
  readonly mask: readonly string[];
}

const defaultCapBytes = 64 * 1024 ** 2;
const keptEndBytes = 256 * 1024;
const ours = /^[A-Za-z0-9_-]{1,128}$/;

/** `<home>/logs/<execution>/<action execution>.log`; throws when an id is not one of ours. */
export function logPath(home: string, execution: string, actionExecution: string): string {
  for (const id of [execution, actionExecution]) {
    if (!ours.test(id)) throw new Error(`not an id of an execution: ${JSON.stringify(id.slice(0, 80))}`);
  }
  return join(home, 'logs', execution, `${actionExecution}.log`);
}

/** Appends when the file is there already: a repeated start goes on in the same log. */
export function openActionLog(options: ActionLogOptions): OpenActionLog {
  const masker = createMasker(options.mask);
  const file = openFile(options.file);
  const cap = options.capBytes ?? defaultCapBytes;
  let room = cap;
  let end: LogEnd | undefined;
  let closed = false;
  const keep = (bytes: Buffer): Buffer => {
    const rest = bytes.subarray(room);
    file.write(bytes.subarray(0, room));
    room -= bytes.length - rest.length;
    return rest;
  };
  return {
    write: (chunk) => {
      if (closed) return;
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk;
      if (end !== undefined) return end.add(bytes);
      const rest = keep(masker.push(bytes));
      if (room > 0) return;
      file.write(Buffer.from(`\n[penstock] The log is cut here: it reached ${inWords(cap)}.\n`));
      end = createLogEnd(options.mask, Math.min(keptEndBytes, cap));
      end.add(Buffer.concat([rest, masker.flush()]));
    },
    close: () => {
      if (closed) return;
      closed = true;
      if (end === undefined) keep(masker.flush());
      else file.write(end.take());
      file.close();
    },
  };
}

/** The last bytes of a flood, unmasked while they are in memory: to mask what is thrown away would cost too much. */
interface LogEnd {
  add(bytes: Uint8Array): void;
  /** A notice and the end, masked. */
  take(): Buffer;
}

function createLogEnd(mask: readonly string[], kept: number): LogEnd {
  const masker = createMasker(mask);
  // A secret that was cut in two by the beginning of the memory ends within these bytes; they are never written.
  const margin = masker.longest;
  const end = createKeptEnd(kept + margin);
  return {
    add: (bytes) => end.add(bytes),
    take: () => {
      const memory = end.bytes();
      const dropped = Math.min(margin, memory.length);
      masker.push(memory.subarray(0, dropped));
      const shown = Buffer.concat([masker.push(memory.subarray(dropped)), masker.flush()]);
      const left = inWords(end.total - memory.length + dropped);
      return Buffer.concat([Buffer.from(`[penstock] ${left} were left out. The end of the output:\n`), shown]);
    },
  };
}

/** A disk that is full or gone must not fail the action: what cannot be written is lost. */
function openFile(path: string): { write(bytes: Buffer): void; close(): void } {
  let descriptor: number | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    descriptor = openSync(path, 'a', 0o600);
  } catch {
    descriptor = undefined;
  }
  const quietly = (work: (open: number) => void): void => {
    try {
      if (descriptor !== undefined) work(descriptor);
    } catch {
      // See above.
    }
  };
  return {
    write: (bytes) => quietly((open) => writeAll(open, bytes)),
    close: () => quietly(closeSync),
  };
}

function writeAll(descriptor: number, bytes: Buffer): void {
  let offset = 0;
  while (offset < bytes.length) offset += writeSync(descriptor, bytes, offset);
}

function inWords(bytes: number): string {
  if (bytes < 10 * 1024) return `${bytes} bytes`;
  return bytes < 10 * 1024 ** 2 ? `${Math.round(bytes / 1024)} KiB` : `${Math.round(bytes / 1024 ** 2)} MiB`;
}
