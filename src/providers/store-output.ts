import { lstat, readdir, realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createFileMatcher } from '../buildspec/file-globs.ts';
import type { ArtifactStore } from './artifact-store.ts';
import { say } from './build-log.ts';
import type { ActionLog, NamedArtifact } from './provider.ts';
import { writeZip, type PackedFile } from './write-zip.ts';
import { listFiles, packedFiles, rootOf, tooLarge } from './zip.ts';

export interface OutputRequest {
  readonly directory: string;
  /** Below `directory`, or a pattern of its top-level directories; files are named relative to it. */
  readonly baseDirectory?: string;
  /** Patterns of `file-globs.ts`. */
  readonly files: readonly string[];
  readonly excludePaths?: readonly string[];
  /** All files at the top; of two with one name the last in the order of paths stays (CP-B-7). */
  readonly discardPaths?: boolean;
  readonly enableSymlinks?: boolean;
  /** Where the archive is put together. */
  readonly to: string;
  readonly log: ActionLog;
}

/** Packs what the patterns name and stores it; says in words why it could not. */
export async function storeOutput(
  artifacts: ArtifactStore,
  output: NamedArtifact,
  request: OutputRequest,
): Promise<string | undefined> {
  const bases = await basesOf(request);
  if (bases.length === 0)
    return `no matching base directory path found for ${output.name}: ${request.baseDirectory ?? ''}. Write a directory that is there after the build, relative to the source.`;
  const [included, excluded] = [createFileMatcher(request.files), createFileMatcher(request.excludePaths ?? [])];
  const packed = new Map<string, PackedFile>();
  let clashes = 0;
  for (const base of bases) {
    const found = await listFiles(base, { directoryLinks: request.enableSymlinks === true });
    const chosen = found.map(({ path }) => path).filter((path) => included(path) && !excluded(path));
    for (const file of await filesOf(base, chosen, request)) {
      if (packed.has(file.name)) clashes += 1;
      packed.set(file.name, file);
    }
  }
  if (packed.size === 0) return nothingMatched(output.name, bases[0] ?? '', request.files);
  if (clashes > 0)
    say(
      request.log,
      `${clashes} ${clashes === 1 ? 'file has' : 'files have'} the name of a later one and ${clashes === 1 ? 'is' : 'are'} left out of ${output.name}.`,
    );
  const large = tooLarge([...packed.values()]);
  if (large !== undefined) return `the artifact ${output.name} cannot be stored: ${large}. Name fewer files.`;
  await writeZip([...packed.values()], request.to);
  try {
    const stored = await artifacts.put(output.location, { file: request.to });
    say(
      request.log,
      `Stored artifact ${output.name}: ${packed.size === 1 ? '1 file' : `${packed.size} files`}, ${stored.size} bytes`,
    );
  } finally {
    await rm(request.to, { force: true });
  }
  return undefined;
}

/** `dist*` is every directory at the top whose name fits; the directories themselves are not part of the paths (CP-B-7). */
async function basesOf({ directory, baseDirectory = '' }: OutputRequest): Promise<readonly string[]> {
  const root = await rootOf(directory);
  const names = /[*?[{]/.test(baseDirectory)
    ? (await readdir(root)).filter(createFileMatcher([baseDirectory]))
    : [baseDirectory];
  const found = await Promise.all(names.toSorted().map((name) => baseOf(root, name)));
  return found.filter((base) => base !== undefined);
}

/** A base directory that is a link out of the source is none. */
async function baseOf(root: string, name: string): Promise<string | undefined> {
  const base = await realpath(join(root, name)).catch(() => undefined);
  if (base === undefined || (base !== root && !base.startsWith(`${root}/`))) return undefined;
  return (await lstat(base)).isDirectory() ? base : undefined;
}

async function filesOf(base: string, paths: readonly string[], request: OutputRequest): Promise<readonly PackedFile[]> {
  const packed = await packedFiles(base, paths, request.enableSymlinks);
  if (request.discardPaths !== true) return packed;
  return packed.map((file) => ({ ...file, name: basename(file.name) }));
}

async function nothingMatched(name: string, base: string, files: readonly string[]): Promise<string> {
  for (const file of files) {
    const found = /[*?[{]/.test(file) ? undefined : await lstat(join(base, file)).catch(() => undefined);
    if (found?.isDirectory() === true) {
      return `no matching artifact paths found for ${name}: "${file}" is a directory. Write "${file.replace(/\/$/, '')}/**/*" for the files in it.`;
    }
  }
  const patterns = files.map((file) => `"${file}"`).join(', ');
  return `no matching artifact paths found for ${name}: ${patterns} matched no file. Patterns are relative to the source or its base-directory.`;
}
