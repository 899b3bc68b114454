import { execFile } from 'node:child_process';
import { chmod, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../errors.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { StoredObject } from './stored-object.ts';
import { cloneInto, readCloneReference, type CloneSource } from './clone-reference.ts';
import type { NamedArtifact } from './provider.ts';
import { UnsafeArchive } from './archive-names.ts';
import { unzipApart } from './unzip-apart.ts';

/** The directories of one action attempt under `<home>/work`; commands see `sources`, `home` and `temporary` only. */
export interface WorkArea {
  readonly root: string;
  /** Holds one directory per input artifact. */
  readonly sources: string;
  readonly home: string;
  readonly temporary: string;
  readonly control: string;
  /** Where a cache is unpacked before it is moved to its places. */
  readonly cache: string;
  /** Deletes everything, also what commands made unreadable. */
  remove(): Promise<void>;
}

export async function makeWorkArea(home: string, id: string): Promise<WorkArea> {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(id)) throw new Error(`not an id of ours: ${JSON.stringify(id.slice(0, 80))}`);
  const root = join(home, 'work', id);
  await removeTree(root);
  const area = {
    sources: join(root, 'src'),
    home: join(root, 'home'),
    temporary: join(root, 'tmp'),
    control: join(root, 'ctl'),
    cache: join(root, 'cache'),
  };
  for (const directory of Object.values(area)) await mkdir(directory, { recursive: true, mode: 0o700 });
  return { root, ...area, remove: () => removeTree(root) };
}

/**
 * Unpacks every input; the primary one first, and into `src` itself being `src/<number>`. Gives its directory and those
 * of the others by name. A missing or damaged artifact and an unsafe archive are UserErrors.
 */
export async function unpackInputs(
  artifacts: ArtifactStore,
  area: WorkArea,
  inputs: readonly NamedArtifact[],
  clones?: CloneSource,
): Promise<ReadonlyMap<string, string>> {
  const directories = new Map<string, string>();
  for (const [index, input] of inputs.entries()) {
    const directory = join(area.sources, String(index));
    await mkdir(directory);
    await unpackInput(artifacts, input, { directory, clones });
    directories.set(input.name, directory);
  }
  return directories;
}

interface Unpacking {
  readonly directory: string;
  readonly clones: CloneSource | undefined;
}

async function unpackInput(
  artifacts: ArtifactStore,
  input: NamedArtifact,
  { directory, clones }: Unpacking,
): Promise<void> {
  const stored = await artifacts.describe(input.location);
  if (stored === null) {
    throw new UserError(
      `The input artifact ${input.name} was never written (NoSuchKey: ${input.location.key}). ` +
        'Check that the action which makes it stores files, and retry that stage.',
    );
  }
  const reference = await readCloneReference(stored);
  if (reference === null) return unpackArchive(artifacts, stored, { name: input.name, directory });
  await artifacts.check(stored);
  if (clones !== undefined) return cloneInto(clones, reference, directory);
  throw new UserError(
    `The input artifact ${input.name} is a reference to a clone, which only CodeBuild actions can read. ` +
      'Remove OutputArtifactFormat from the source action, or write CODE_ZIP.',
  );
}

/** The digest is checked while another process unpacks: nothing is used before both have ended. */
async function unpackArchive(
  artifacts: ArtifactStore,
  stored: StoredObject,
  { name, directory }: { readonly name: string; readonly directory: string },
): Promise<void> {
  const [checked, unpacked] = await Promise.allSettled([artifacts.check(stored), unzipApart(stored.file, directory)]);
  if (checked.status === 'rejected') throw checked.reason;
  if (unpacked.status === 'fulfilled') return;
  const error: unknown = unpacked.reason;
  if (!(error instanceof UnsafeArchive)) throw error;
  throw new UserError(`The input artifact ${name} cannot be unpacked. ${error.message}`, { cause: error });
}

export async function removeTree(root: string): Promise<void> {
  try {
    await rm(root, { recursive: true, force: true });
  } catch {
    await makeRemovable(root).catch(() => {});
    // Also what lies deeper than a path may be long, which a build makes by going down step by step.
    await promisify(execFile)('rm', ['-rf', '--', root]);
  }
}

async function makeRemovable(directory: string): Promise<void> {
  if (!(await lstat(directory)).isDirectory()) return;
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeRemovable(join(directory, entry.name));
  }
}
