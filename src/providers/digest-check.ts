import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { StoredObject } from './stored-object.ts';

export class DamagedArtifact extends Error {
  override readonly name = 'DamagedArtifact';
}

/** Throws DamagedArtifact when the content is not what was put. */
export async function checkDigest(found: StoredObject): Promise<void> {
  const where = `s3://${found.location.bucket}/${found.location.key}`;
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(found.file), hash);
  } catch (error) {
    throw new DamagedArtifact(`The artifact ${where} cannot be read. Retry the action that made it.`, { cause: error });
  }
  if (hash.digest('hex') === found.sha256) return;
  throw new DamagedArtifact(
    `The artifact ${where} is not what was stored: its digest differs. Retry the action that made it.`,
  );
}

const trustedForMs = 60_000;
const mostRemembered = 1000;

/**
 * As `checkDigest`, for many readers of parts of one file: each part would cost a reading of the whole. What was whole
 * within the last minute counts while its inode, size and times are the same; askers at the same time share one reading.
 */
export function rememberingCheck(
  check: (found: StoredObject) => Promise<void> = checkDigest,
  now: () => number = Date.now,
): (found: StoredObject) => Promise<void> {
  const remembered = new Map<string, { readonly since: number; readonly outcome: Promise<void> }>();
  return async (found) => {
    const key = `${found.sha256} ${found.file} ${await stateOf(found.file)}`;
    const known = remembered.get(key);
    if (known && now() - known.since < trustedForMs) return known.outcome;
    const outcome = check(found);
    remembered.delete(key);
    remembered.set(key, { since: now(), outcome });
    outcome.catch(() => remembered.delete(key));
    for (const oldest of [...remembered.keys()].slice(0, -mostRemembered)) remembered.delete(oldest);
    return outcome;
  };
}

/** Changes with every write; the change time also when somebody sets the others back. */
async function stateOf(file: string): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(() => null);
  return found ? [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ') : 'absent';
}
