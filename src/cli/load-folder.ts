import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfiguration, type LoadedConfiguration } from '../config/load.ts';

/** A repository's configuration from wherever its files are: the same reader as for a commit on GitHub. */
export function loadFiles(read: (path: string) => Promise<string | null>): Promise<LoadedConfiguration> {
  const reader = { readFile: (_: unknown, path: string) => read(path) };
  return loadConfiguration(reader, { id: 0, owner: '', name: '', installationId: 0 }, '');
}

/** A folder as if it were a repository at one commit. */
export function loadFolder(folder: string): Promise<LoadedConfiguration> {
  return loadFiles((path) => readOrNull(join(folder, path)));
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
}
