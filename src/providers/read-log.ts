import { open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const maxTailBytes = 1024 * 1024;

/** The last lines of a log, at most 1 MiB; an absent log has none. */
export async function readTail(file: string, lines: number): Promise<readonly string[]> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return [];
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - maxTailBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    const found = buffer.subarray(0, bytesRead).toString('utf8').split('\n');
    if (found.at(-1) === '') found.pop();
    // Where reading began in the middle of the file, its first line is only the end of one.
    if (start > 0) found.shift();
    return found.slice(-lines);
  } finally {
    await handle.close();
  }
}

export interface FollowOptions {
  /** Ends the stream: what is in the file then is still given. */
  readonly ended: () => boolean | Promise<boolean>;
  readonly from?: number;
  readonly pauseMs?: number;
}

/** The bytes of a log as they are written, from an offset on; waits for a log that is not there yet. */
export async function* followLog(file: string, options: FollowOptions): AsyncGenerator<Buffer> {
  let offset = options.from ?? 0;
  for (;;) {
    const ended = await options.ended();
    for await (const chunk of newBytes(file, offset)) {
      offset += chunk.length;
      yield chunk;
    }
    if (ended) return;
    await sleep(options.pauseMs ?? 200);
  }
}

async function* newBytes(file: string, offset: number): AsyncGenerator<Buffer> {
  const size = (await stat(file).catch(() => undefined))?.size ?? 0;
  if (size <= offset) return;
  const handle = await open(file, 'r');
  try {
    for (let at = offset; at < size;) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(65_536, size - at)), 0, undefined, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
