import { createWriteStream } from 'node:fs';
import { lstat, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { UserError } from '../errors.ts';

import { unzipLimits } from './unzip.ts';

export { unzip, unzipLimits } from './unzip.ts';
export { UnsafeArchive } from './archive-names.ts';

/** A file to be packed: its name in the archive and where it is. */
export interface PackedFile {
  readonly name: string;
  readonly file: string;
  readonly executable: boolean;
  readonly bytes: number;
  /** Packed as a link with this target instead of the file that it leads to. */
  readonly link?: string;
}

// The earliest time that a ZIP can hold: bytes depend on contents, names and modes alone.
const always = { mtime: new Date(1980, 0, 1), forceDosTimestamp: true } as const;

/** Packs a directory, or only the given relative paths of it, into `to`. Same files, same bytes. */
export async function zipDirectory(directory: string, to: string, paths?: readonly string[]): Promise<void> {
  const listed = paths ?? (await listFiles(directory)).map(({ path }) => path);
  await zipFiles(await Promise.all(listed.map((path) => packedFile(directory, path))), to);
}

export async function zipFiles(files: readonly PackedFile[], to: string): Promise<void> {
  const zip = new ZipFile();
  for (const { name, file, executable, link } of [...files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (link !== undefined) zip.addBuffer(Buffer.from(link), name, { ...always, mode: 0o120777 });
    else zip.addFile(file, name, { ...always, mode: executable ? 0o100755 : 0o100644 });
  }
  zip.end();
  const failed = new Promise<never>((_resolve, reject) => zip.once('error', reject));
  const output = Readable.from(zip.outputStream as AsyncIterable<Buffer>);
  await Promise.race([pipeline(output, createWriteStream(to, { flags: 'wx', mode: 0o600 })), failed]);
}

/** `links`: a link stays one when its target is relative; otherwise it becomes the file that it leads to. */
export async function packedFile(directory: string, path: string, links = false): Promise<PackedFile> {
  const file = join(directory, path);
  const found = await lstat(file);
  const target = links && found.isSymbolicLink() ? await readlink(file) : '';
  const { mode, size: bytes } = await stat(file);
  return {
    name: path,
    file,
    executable: (mode & 0o111) !== 0,
    bytes,
    ...(target === '' || target.startsWith('/') ? {} : { link: target }),
  };
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
  /** A link is listed only when it leads to a file below the directory: artifacts never carry files of the machine. */
  readonly kind: 'file' | 'link';
}

/** The real path of a directory that a build could write to; one that became a link would lead to files of the machine. */
export async function rootOf(directory: string): Promise<string> {
  if ((await lstat(directory)).isDirectory()) return realpath(directory);
  throw new UserError(
    'The build put something else in the place of the source directory. Leave the directory where it is.',
  );
}

/** Every file below a directory, sorted; without .git directories, pipes, sockets and links that lead out. */
export async function listFiles(directory: string): Promise<readonly FoundFile[]> {
  const root = await rootOf(directory);
  const found: FoundFile[] = [];
  const visit = async (relative: string): Promise<void> => {
    for (const entry of await readdir(join(root, relative), { withFileTypes: true })) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.name === '.git') continue;
      if (entry.isDirectory()) await visit(path);
      else if (entry.isFile()) found.push({ path, kind: 'file' });
      else if (entry.isSymbolicLink() && (await leadsInside(root, path))) found.push({ path, kind: 'link' });
    }
  };
  await visit('');
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function leadsInside(root: string, path: string): Promise<boolean> {
  const real = await realpath(join(root, path)).catch(() => undefined);
  if (real === undefined || !real.startsWith(`${root}/`)) return false;
  return (await lstat(real)).isFile();
}
