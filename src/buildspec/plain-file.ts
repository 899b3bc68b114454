import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * The beginning of a file that a build may have made, or undefined when there is none or it is something else: a link
 * would lead out of the sandbox, and a pipe would be waited for for ever.
 */
export async function readPlainFile(file: string, mostBytes: number): Promise<string | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const found = await handle.stat();
    if (!found.isFile()) return undefined;
    const memory = Buffer.alloc(Math.min(found.size, mostBytes));
    const { bytesRead } = await handle.read(memory, 0, memory.length, 0);
    return memory.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
