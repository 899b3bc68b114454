import { lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { startTimeOf } from './processes.ts';

/** Below the machine's directory for temporary files, for this user alone; paths of unix sockets must be short. */
export function temporaryParent(kind: string): string {
  return join(tmpdir(), `penstock-${kind}-${userInfo().uid}`);
}

/**
 * A directory of this process alone. Those of processes that are gone, which nobody could remove when they were killed,
 * are removed. Throws UserError when somebody else has put something in the place of `parent`.
 */
export async function makeOwnDirectory(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const found = await lstat(parent);
  if (!found.isDirectory() || found.uid !== userInfo().uid)
    throw new UserError(`${parent} is no directory of this user. Remove it.`);
  for (const name of await readdir(parent)) {
    const gone = /^\d+-/.test(name) && startTimeOf(Number.parseInt(name, 10)) === undefined;
    if (gone) await rm(join(parent, name), { recursive: true, force: true });
  }
  return mkdtemp(join(parent, `${process.pid}-`));
}
