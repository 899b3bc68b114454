import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { detectIsolation, type Isolation, type IsolationLevel } from '../../src/buildspec/isolation.ts';
import { removeTree } from '../../src/providers/work-area.ts';

/** Every rung of the ladder that this machine has; the others are printed with their reason. */
export async function availableRungs(): Promise<readonly Isolation[]> {
  const found: Isolation[] = [];
  for (const wanted of ['bubblewrap', 'unshare', 'process'] as const) {
    const isolation = await rung(wanted);
    if (isolation !== undefined) found.push(isolation);
  }
  return found;
}

export async function rung(wanted: IsolationLevel): Promise<Isolation | undefined> {
  try {
    return await detectIsolation({ path: process.env['PATH'] ?? '', wanted });
  } catch (error) {
    console.warn(`skipped: the rung ${wanted} is not available. ${error instanceof Error ? error.message : ''}`);
    return undefined;
  }
}

/** A directory that is removed after the file's tests. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'penstock-test-'));
  afterAll(() => removeTree(directory));
  return directory;
}

export interface Box {
  readonly work: string;
  readonly home: string;
  readonly temporary: string;
  readonly control: string;
}

export async function makeBox(root: string, name: string): Promise<Box> {
  const base = join(root, name);
  const box = {
    work: join(base, 'work'),
    home: join(base, 'home'),
    temporary: join(base, 'tmp'),
    control: join(base, 'ctl'),
  };
  for (const directory of Object.values(box)) await mkdir(directory, { recursive: true });
  return box;
}
