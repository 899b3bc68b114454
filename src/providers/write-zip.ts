import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { crc32, createDeflateRaw, deflateRaw } from 'node:zlib';
import { UserError } from '../errors.ts';
import { centralDirectory, localHeader, type Packing, type ZipEntry } from './zip-records.ts';

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

interface Archive {
  readonly handle: FileHandle;
  readonly packing: Packing;
  readonly entries: ZipEntry[];
  /** Where the next entry begins. */
  offset: number;
}

/**
 * Writes a new archive. Same files, same bytes. Throws UserError when a file changes meanwhile.
 * Source trees are thousands of small files, for which streams cost more than the work: those are packed whole, some at
 * a time.
 */
export async function writeZip(files: readonly PackedFile[], to: string, packing: Packing = 'deflated'): Promise<void> {
  const archive: Archive = { handle: await open(to, 'wx', 0o600), packing, entries: [], offset: 0 };
  try {
    for (const group of groupsOf(files.toSorted((a, b) => (a.name < b.name ? -1 : 1)))) {
      if (isSmall(group[0])) await addSmall(archive, group);
      else await addLarge(archive, group[0]);
    }
    await writeAll(archive.handle, centralDirectory(archive.entries, archive.offset), archive.offset);
  } finally {
    await archive.handle.close();
  }
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

async function addSmall(archive: Archive, group: Group): Promise<void> {
  const begin = archive.offset;
  const parts: Buffer[] = [];
  for (const { data, ...known } of await Promise.all(group.map((file) => packWhole(file, archive.packing)))) {
    const entry = { ...known, offset: archive.offset };
    const header = localHeader(entry);
    archive.entries.push(entry);
    archive.offset += header.length + data.length;
    parts.push(header, data);
  }
  await writeAll(archive.handle, Buffer.concat(parts), begin);
}

const pack = promisify(deflateRaw);

async function packWhole(
  file: PackedFile,
  packing: Packing,
): Promise<Omit<ZipEntry, 'offset'> & { readonly data: Buffer }> {
  const content = file.link === undefined ? await readWhole(file) : Buffer.from(file.link);
  const data = packing === 'stored' ? content : await pack(content);
  return { ...namedOf(file), packing, crc: crc32(content), bytes: content.length, packedBytes: data.length, data };
}

function namedOf({ name, executable, link }: PackedFile): Pick<ZipEntry, 'name' | 'mode'> {
  return { name: Buffer.from(name), mode: link === undefined ? (executable ? 0o100755 : 0o100644) : 0o120777 };
}

async function readWhole(file: PackedFile): Promise<Buffer> {
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

/** The header is written last: it says what came out. */
async function addLarge(archive: Archive, file: PackedFile): Promise<void> {
  const { handle, packing, offset } = archive;
  const begun = { ...namedOf(file), packing, crc: 0, bytes: file.bytes, packedBytes: 0, offset };
  const dataAt = offset + localHeader(begun).length;
  const source = await openSource(file);
  let [crc, packedBytes] = [0, 0];
  const counted = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      crc = crc32(chunk, crc);
      done(null, chunk);
    },
  });
  // As far as it was long when it was found, however much is written to it meanwhile.
  const contents = source.createReadStream({ start: 0, end: file.bytes - 1, highWaterMark: smallBytes });
  const packer = packing === 'stored' ? new PassThrough() : createDeflateRaw({ chunkSize: smallBytes });
  await pipeline(contents, counted, packer, async (packed: AsyncIterable<Buffer>) => {
    for await (const chunk of packed) {
      await writeAll(handle, chunk, dataAt + packedBytes);
      packedBytes += chunk.length;
    }
  });
  if (contents.bytesRead !== file.bytes) throw changed(file);
  const entry = { ...begun, crc, packedBytes };
  await writeAll(handle, localHeader(entry), offset);
  archive.entries.push(entry);
  archive.offset = dataAt + packedBytes;
}

async function writeAll(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}

function changed({ name }: PackedFile): UserError {
  return new UserError(`${name} changed while it was packed. End what writes to it first, and try again.`);
}
