// The records of a ZIP file, as values (APPNOTE 6.3, sections 4.3 and 4.5.3). Sizes and checksums stand in front of the
// contents, never behind them.

/** Stored is not packed at all. */
export type Packing = 'stored' | 'deflated';

export interface ZipEntry {
  readonly name: Buffer;
  /** As in `st_mode`, with the kind of file. */
  readonly mode: number;
  readonly packing: Packing;
  readonly crc: number;
  readonly bytes: number;
  readonly packedBytes: number;
  /** Where its header begins. */
  readonly offset: number;
}

const localSignature = 0x04034b50;
const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;
const largeEndSignature = 0x06064b50;
const largeEndLocatorSignature = 0x07064b50;
const [plain, large] = [20, 45];
const unix = 3 << 8;
const utf8Names = 0x0800;
const methods: Readonly<Record<Packing, number>> = { stored: 0, deflated: 8 };
/** 1 January 1980, the earliest one: bytes depend on contents, names and modes alone. */
const always = 0x0021;
const largeExtra = 0x0001;
/** Numbers from here on stand in an extra field of 64 bits; what deflate adds to them fits below the 4 GiB. */
export const largeFrom = 0xf000_0000;
const [elsewhere16, elsewhere32] = [0xffff, 0xffff_ffff];

/** As long as its name and `bytes` make it, whatever the other numbers are: it may be written over. */
export function localHeader(entry: ZipEntry): Buffer {
  const { name, bytes, packedBytes } = entry;
  const isLarge = bytes >= largeFrom;
  const header = Buffer.alloc(30);
  header.writeUInt32LE(localSignature, 0);
  header.writeUInt16LE(isLarge ? large : plain, 4);
  writeShared(header, 6, entry, isLarge);
  header.writeUInt16LE(name.length, 26);
  const extra = isLarge ? extraField([bytes, packedBytes]) : Buffer.alloc(0);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, name, extra]);
}

/** What ends the archive; it begins at `offset`. */
export function centralDirectory(entries: readonly ZipEntry[], offset: number): Buffer {
  const records = Buffer.concat(entries.map(centralRecord));
  const isLarge = entries.length >= elsewhere16 || offset + records.length >= largeFrom;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(endSignature, 0);
  end.writeUInt16LE(isLarge ? elsewhere16 : entries.length, 8);
  end.writeUInt16LE(isLarge ? elsewhere16 : entries.length, 10);
  end.writeUInt32LE(isLarge ? elsewhere32 : records.length, 12);
  end.writeUInt32LE(isLarge ? elsewhere32 : offset, 16);
  return Buffer.concat([records, ...(isLarge ? [largeEnd(entries.length, records.length, offset)] : []), end]);
}

function centralRecord(entry: ZipEntry): Buffer {
  const { name, mode, bytes, packedBytes, offset } = entry;
  const isLarge = bytes >= largeFrom || offset >= largeFrom;
  const record = Buffer.alloc(46);
  record.writeUInt32LE(centralSignature, 0);
  record.writeUInt16LE(unix | (isLarge ? large : plain), 4);
  record.writeUInt16LE(isLarge ? large : plain, 6);
  writeShared(record, 8, entry, isLarge);
  record.writeUInt16LE(name.length, 28);
  const extra = isLarge ? extraField([bytes, packedBytes, offset]) : Buffer.alloc(0);
  record.writeUInt16LE(extra.length, 30);
  record.writeUInt32LE((mode << 16) >>> 0, 38);
  record.writeUInt32LE(isLarge ? elsewhere32 : offset, 42);
  return Buffer.concat([record, name, extra]);
}

/** From the flags to the sizes a local header and a central record are the same. */
function writeShared(record: Buffer, at: number, entry: ZipEntry, isLarge: boolean): void {
  record.writeUInt16LE(utf8Names, at);
  record.writeUInt16LE(methods[entry.packing], at + 2);
  record.writeUInt16LE(always, at + 6);
  record.writeUInt32LE(entry.crc, at + 8);
  record.writeUInt32LE(isLarge ? elsewhere32 : entry.packedBytes, at + 12);
  record.writeUInt32LE(isLarge ? elsewhere32 : entry.bytes, at + 16);
}

function extraField(numbers: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * numbers.length);
  field.writeUInt16LE(largeExtra, 0);
  field.writeUInt16LE(8 * numbers.length, 2);
  for (const [index, number] of numbers.entries()) field.writeBigUInt64LE(BigInt(number), 4 + 8 * index);
  return field;
}

/** The 64-bit end of the directory, which begins where the records end, and the record that finds it. */
function largeEnd(count: number, bytes: number, offset: number): Buffer {
  const end = Buffer.alloc(56);
  end.writeUInt32LE(largeEndSignature, 0);
  end.writeBigUInt64LE(BigInt(end.length - 12), 4);
  end.writeUInt16LE(unix | large, 12);
  end.writeUInt16LE(large, 14);
  for (const at of [24, 32]) end.writeBigUInt64LE(BigInt(count), at);
  end.writeBigUInt64LE(BigInt(bytes), 40);
  end.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(largeEndLocatorSignature, 0);
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([end, locator]);
}
