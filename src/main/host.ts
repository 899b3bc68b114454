import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from '../db/lock.ts';

/** This machine's share of the work: the disk below PENSTOCK_HOME and whoever owns it now. */
export interface Host {
  /** Stays with the directory, so that a restarted process finds the work that its predecessor held. */
  readonly id: string;
  readonly home: string;
  release(): Promise<void>;
}

/** One process at a time works in a home; a second one is told so. */
export async function openHost(home: string): Promise<Host> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const release = await takeLock(join(home, 'host'));
  return { id: await hostId(join(home, 'host-id')), home, release };
}

async function hostId(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const id = randomUUID();
    await writeFile(file, `${id}\n`, { mode: 0o600, flag: 'wx' });
    return id;
  }
}
