import { lstat, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { UserError } from '../errors.ts';
import { unzipLimits } from './unzip.ts';
import type { PackedFile } from './write-zip.ts';

export { unzip, unzipLimits } from './unzip.ts';
export { UnsafeArchive } from './archive-names.ts';

/** `links`: a link stays one when its target is relative; otherwise it becomes the file that it leads to. */
export async function packedFiles(
  directory: string,
  paths: readonly string[],
  links = false,
): Promise<readonly PackedFile[]> {
  return Promise.all(paths.map((path) => packedFile(directory, path, links)));
}

async function packedFile(directory: string, path: string, links: boolean): Promise<PackedFile> {
  const file = join(directory, path);
  try {
    const target = links && (await lstat(file)).isSymbolicLink() ? await readlink(file) : '';
    const { mode, size: bytes } = await stat(file);
    const link = target === '' || isAbsolute(target) ? {} : { link: target };
    return { name: path, file, executable: (mode & 0o111) !== 0, bytes, ...link };
  } catch (error) {
    if (!path.includes('\uFFFD')) throw error;
    throw new UserError(`${path} cannot be packed, because its name is not UTF-8. Rename it, or leave it out.`);
  }
}

/** Says in words why nobody could unpack an archive of these files; a sparse file is as large as it says. */
export function tooLarge(files: readonly PackedFile[], limits = unzipLimits): string | undefined {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (files.length <= limits.entries && bytes <= limits.bytes) return undefined;
  return `${files.length} files of ${bytes} bytes are more than the ${limits.entries} files and ${limits.bytes} bytes that an archive may hold`;
}

export interface FoundFile {
  /** Relative, with `/`. */
  readonly path: string;
  /** A link is listed only when it leads below the directory: artifacts never carry files of the machine. */
  readonly kind: 'file' | 'link';
}

/** The real path of a directory that a build could write to; one that became a link would lead to files of the machine. */
export async function rootOf(directory: string): Promise<string> {
  if ((await lstat(directory)).isDirectory()) return realpath(directory);
  throw new UserError(
    'The build put something else in the place of the source directory. Leave the directory where it is.',
  );
}

/**
 * Every file below a directory, sorted; without .git directories, pipes, sockets and links that lead out.
 * `directoryLinks`: with links to directories, for those who pack links as links.
 */
export async function listFiles(directory: string, { directoryLinks = false } = {}): Promise<readonly FoundFile[]> {
  const root = await rootOf(directory);
  const found: FoundFile[] = [];
  const visit = async (relative: string): Promise<void> => {
    for (const entry of await readdir(join(root, relative), { withFileTypes: true })) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.name === '.git') continue;
      if (entry.isDirectory()) await visit(path);
      else if (entry.isFile()) found.push({ path, kind: 'file' });
      else if (entry.isSymbolicLink() && (await leadsInside(root, path, directoryLinks)))
        found.push({ path, kind: 'link' });
    }
  };
  await visit('');
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function leadsInside(root: string, path: string, directories: boolean): Promise<boolean> {
  const real = await realpath(join(root, path)).catch(() => undefined);
  if (real === undefined || !real.startsWith(`${root}/`)) return false;
  const found = await lstat(real);
  // A directory has no other form than a link, and an archive may hold none with an absolute target.
  return found.isFile() || (directories && found.isDirectory() && !isAbsolute(await readlink(join(root, path))));
}
