import { open } from 'node:fs/promises';
import { visibleText } from './visible-text.ts';

/** The end of a log as text for a page. */
export interface LogExcerpt {
  readonly text: string;
  /** Bytes of the whole log. */
  readonly size: number;
  /** Bytes before `text` that are not in it. */
  readonly cut: number;
}

/** The last `most` bytes from the start of a line on; undefined when there is no log, or it is empty. */
export async function readLogExcerpt(file: string, most: number): Promise<LogExcerpt | undefined> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    if (size === 0) return undefined;
    const start = Math.max(0, size - most);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    const bytes = buffer.subarray(0, bytesRead);
    const firstLine = start === 0 ? 0 : bytes.indexOf(10) + 1;
    return { text: visibleText(bytes.subarray(firstLine).toString('utf8')), size, cut: start + firstLine };
  } finally {
    await handle.close();
  }
}
