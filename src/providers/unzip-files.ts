import { closeSync, createWriteStream, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { crc32, inflateRawSync } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { UnsafeArchive, type PlannedEntry } from './archive-names.ts';

export interface Planned {
  readonly entry: Entry;
  readonly plan: PlannedEntry;
}

export interface FilesRequest {
  readonly files: readonly Planned[];
  readonly root: string;
  readonly budget: Budget;
}

/** The sizes in an archive are claims: what really comes out is counted again. */
export interface Budget {
  left: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

const smallBytes = 1024 * 1024;
const turnMs = 10;

/**
 * Source trees are thousands of small files, for which streams cost more than the work. Those are read, inflated and
 * written in one go, with a pause every few milliseconds, so that the rest of the process goes on.
 */
export async function writeFiles(
  zip: ZipFile,
  archive: Buffer | { readonly file: string },
  request: FilesRequest,
): Promise<void> {
  const source = openSource(archive);
  let turn = performance.now();
  try {
    for (const planned of request.files) {
      spend(request.budget, 0);
      const small = planned.entry.uncompressedSize <= smallBytes && planned.entry.compressedSize <= smallBytes;
      if (small) writeSmall(source, planned, request);
      else await writeLarge(zip, planned, request);
      if (performance.now() - turn < turnMs) continue;
      await setImmediate();
      turn = performance.now();
    }
  } finally {
    source.close();
  }
}

interface Source {
  /** Fewer bytes where the archive ends. Good until the next call. */
  read(offset: number, length: number): Buffer;
  close(): void;
}

const windowBytes = 4 * 1024 * 1024;

/** Entries mostly lie one after the other, so a file is read in large pieces. */
function openSource(archive: Buffer | { readonly file: string }): Source {
  if (Buffer.isBuffer(archive))
    return { read: (offset, length) => archive.subarray(offset, offset + length), close: () => {} };
  const descriptor = openSync(archive.file, 'r');
  const memory = Buffer.allocUnsafe(windowBytes);
  let [from, to] = [0, 0];
  return {
    read: (offset, length) => {
      if (offset < from || offset + length > to) {
        from = offset;
        to = offset + readSync(descriptor, memory, 0, windowBytes, offset);
      }
      return memory.subarray(offset - from, Math.min(offset - from + length, to - from));
    },
    close: () => closeSync(descriptor),
  };
}

function spend(budget: Budget, bytes: number): void {
  budget.left -= bytes;
  if (budget.left < 0) throw new UnsafeArchive('The archive unpacks to more than it may.');
  if (Date.now() > budget.until) throw new UnsafeArchive('The archive took too long to unpack.');
}

function writeSmall(source: Source, { entry, plan }: Planned, { root, budget }: FilesRequest): void {
  const packed = packedBytes(source, entry);
  const bytes = entry.compressionMethod === 0 ? packed : inflate(packed, entry);
  if (bytes.length !== entry.uncompressedSize || crc32(bytes) !== entry.crc32) throw damaged(plan.path);
  spend(budget, bytes.length);
  writeFileSync(join(root, plan.path), bytes, { flag: 'wx', mode: modeOf(plan) });
}

const localHeaderBytes = 30;
const localSignature = 0x04034b50;

/** The local header repeats the name and has extra fields of its own length before the data. */
function packedBytes(source: Source, entry: Entry): Buffer {
  const header = source.read(entry.relativeOffsetOfLocalHeader, localHeaderBytes);
  if (header.length < localHeaderBytes || header.readUInt32LE(0) !== localSignature) throw damaged(entry.fileName);
  const start =
    entry.relativeOffsetOfLocalHeader + localHeaderBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
  const packed = source.read(start, entry.compressedSize);
  if (packed.length !== entry.compressedSize) throw damaged(entry.fileName);
  return packed;
}

function inflate(packed: Buffer, entry: Entry): Buffer {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.uncompressedSize) });
  } catch {
    throw damaged(entry.fileName);
  }
}

async function writeLarge(zip: ZipFile, { entry, plan }: Planned, { root, budget }: FilesRequest): Promise<void> {
  let sum = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        spend(budget, chunk.length);
        sum = crc32(chunk, sum);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  const source = await zip.openReadStreamPromise(entry);
  await pipeline(source, counted, createWriteStream(join(root, plan.path), { flags: 'wx', mode: modeOf(plan) }));
  if (sum !== entry.crc32) throw damaged(plan.path);
}

function modeOf({ executable }: PlannedEntry): number {
  return executable ? 0o755 : 0o644;
}

function damaged(path: string): UnsafeArchive {
  return new UnsafeArchive(`The archive was refused: ${JSON.stringify(path.slice(0, 200))} is damaged.`);
}
