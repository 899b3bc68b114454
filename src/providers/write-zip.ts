import { constants, createWriteStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { once } from 'node:events';
import type { PassThrough } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { ZipFile, type Options } from 'yazl';
import { UserError } from '../errors.ts';

/** A file to be packed: its name in the archive and where it is. */
export interface PackedFile {
  readonly name: string;
  readonly file: string;
  readonly executable: boolean;
  /** As it was found; with another size by now it cannot be packed. */
  readonly bytes: number;
  /** Packed as a link with this target instead of the file that it leads to. */
  readonly link?: string;
}

/** Stored is not packed at all. */
export type Packing = 'stored' | 'deflated';

/**
 * Writes a new archive. Same files, same bytes. Throws UserError when a file changes meanwhile.
 * Source trees are thousands of small files, for which streams cost more than the work: those are packed whole, some at
 * a time.
 */
export async function writeZip(files: readonly PackedFile[], to: string, packing: Packing = 'deflated'): Promise<void> {
  const zip = new ZipFile();
  // It tells of nothing but a stream of another size, which is found where the file is read.
  zip.on('error', () => {});
  const output = zip.outputStream as PassThrough;
  const failed = new AbortController();
  const written = pipeline(output, createWriteStream(to, { flags: 'wx', mode: 0o600 }));
  // Nobody takes what is read any more; a file that is left open would only be closed by chance.
  written.catch(() => failed.abort());
  const added = addAll({ zip, output, packing, failed: failed.signal }, files).catch((error: unknown) => {
    output.destroy();
    throw error;
  });
  await Promise.all([written, added]);
}

interface Writing {
  readonly zip: ZipFile;
  readonly output: PassThrough;
  readonly packing: Packing;
  /** Aborted when the archive cannot be written. */
  readonly failed: AbortSignal;
}

async function addAll(writing: Writing, files: readonly PackedFile[]): Promise<void> {
  const { zip, output, failed: signal } = writing;
  for (const group of groupsOf(files.toSorted((a, b) => (a.name < b.name ? -1 : 1)))) {
    // The library writes whole files without waiting, so that its output would hold them all.
    if (output.writableNeedDrain) await once(output, 'drain', { signal });
    if (isSmall(group[0])) {
      const contents = await Promise.all(group.map(readWhole));
      for (const [index, bytes] of contents.entries()) add(writing, group[index] ?? group[0], bytes);
    } else await addLarge(writing, group[0]);
  }
  zip.end();
}

type Group = readonly [PackedFile, ...PackedFile[]];

const smallBytes = 1024 * 1024;
/** With `smallBytes` this bounds the memory. */
const atOnce = 16;

function isSmall({ bytes, link }: PackedFile): boolean {
  return link !== undefined || bytes <= smallBytes;
}

/** Small neighbours together, every large file alone. */
function groupsOf(files: readonly PackedFile[]): readonly Group[] {
  const groups: [PackedFile, ...PackedFile[]][] = [];
  for (const file of files) {
    const last = groups.at(-1);
    if (last !== undefined && last.length < atOnce && isSmall(last[0]) && isSmall(file)) last.push(file);
    else groups.push([file]);
  }
  return groups;
}

function add({ zip, packing }: Writing, file: PackedFile, bytes: Buffer): void {
  zip.addBuffer(bytes, file.name, optionsOf(file, packing));
}

/** The earliest time that a ZIP can hold: bytes depend on contents, names and modes alone. */
function optionsOf({ executable, link }: PackedFile, packing: Packing): Partial<Options> {
  const mode = link === undefined ? (executable ? 0o100755 : 0o100644) : 0o120777;
  return { mtime: new Date(1980, 0, 1), forceDosTimestamp: true, mode, compress: packing === 'deflated' };
}

async function readWhole(file: PackedFile): Promise<Buffer> {
  if (file.link !== undefined) return Buffer.from(file.link);
  const source = await openSource(file);
  try {
    // One byte more, to notice a file that grows.
    const memory = Buffer.allocUnsafe(file.bytes + 1);
    const { bytesRead } = await source.read(memory, 0, memory.length, 0);
    if (bytesRead !== file.bytes) throw changed(file);
    return memory.subarray(0, bytesRead);
  } finally {
    await source.close();
  }
}

/** What is in the place of the file by now may be a pipe, which would be waited for for ever. */
async function openSource(file: PackedFile): Promise<FileHandle> {
  const source = await open(file.file, constants.O_RDONLY | constants.O_NONBLOCK);
  const found = await source.stat();
  if (found.isFile() && found.size === file.bytes) return source;
  await source.close();
  throw changed(file);
}

async function addLarge({ zip, packing, failed: signal }: Writing, file: PackedFile): Promise<void> {
  const source = await openSource(file);
  // As far as it was long when it was found, however much is written to it meanwhile.
  const contents = source.createReadStream({ start: 0, end: file.bytes - 1, highWaterMark: smallBytes, signal });
  zip.addReadStream(contents, file.name, { ...optionsOf(file, packing), size: file.bytes });
  await finished(contents);
  if (contents.bytesRead !== file.bytes) throw changed(file);
}

function changed({ name }: PackedFile): UserError {
  return new UserError(`${name} changed while it was packed. End what writes to it first, and try again.`);
}
