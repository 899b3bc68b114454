import { open, stat, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** How far back it is looked for lines: some are longer than all others together. */
const maxTailBytes = 64 * 1024 * 1024;
const blockBytes = 64 * 1024;
/** What is kept of one line, so that none can be all that is seen. */
const longestLine = 2_000;

/** The last lines of a log, each cut to `longestLine` bytes; an absent log has none. */
export async function readTail(file: string, lines: number): Promise<readonly string[]> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return [];
  try {
    const { size } = await handle.stat();
    const end = await endOf(handle, size);
    const first = Math.max(0, size - maxTailBytes);
    const found: string[] = [];
    let line = noLine;
    for (let at = end; at > first && found.length < lines;) {
      const start = Math.max(first, at - blockBytes);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(at - start), 0, at - start, start);
      const pieces = splitLines(buffer.subarray(0, bytesRead));
      for (const piece of pieces.slice(1).reverse()) {
        found.push(textOf(before(piece, line)));
        line = noLine;
      }
      line = before(pieces[0] ?? noLine.bytes, line);
      at = start;
      // Where reading stops in the middle of the file, its first line is only the end of one.
      if (at === 0) found.push(textOf(line));
    }
    return found.slice(0, lines).reverse();
  } finally {
    await handle.close();
  }
}

/** Without the end of the last line. */
async function endOf(handle: FileHandle, size: number): Promise<number> {
  if (size === 0) return 0;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === newLine ? size - 1 : size;
}

const newLine = 0x0a;

function splitLines(block: Buffer): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let at = block.indexOf(newLine); at >= 0; at = block.indexOf(newLine, from)) {
    pieces.push(block.subarray(from, at));
    from = at + 1;
  }
  return [...pieces, block.subarray(from)];
}

/** The beginning of a line that is read from its end. */
interface Line {
  readonly bytes: Buffer;
  readonly length: number;
}

const noLine: Line = { bytes: Buffer.alloc(0), length: 0 };

function before(piece: Buffer, { bytes, length }: Line): Line {
  const kept = Buffer.concat([piece.subarray(0, longestLine), bytes]).subarray(0, longestLine);
  return { bytes: kept, length: piece.length + length };
}

function textOf({ bytes, length }: Line): string {
  const text = bytes.toString('utf8');
  if (length <= bytes.length) return text;
  return `${text.replace(/\uFFFD$/, '')}… (${length - bytes.length} more bytes)`;
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
