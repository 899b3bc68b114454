import { mkdir, realpath, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fromBufferPromise, openPromise, type ZipFile } from 'yauzl';
import { checkLinkTarget, createCollisionCheck, planEntry, UnsafeArchive } from './archive-names.ts';
import { writeFiles, type Planned } from './unzip-files.ts';

export interface UnzipLimits {
  readonly entries: number;
  readonly bytes: number;
  /** Unpacked to packed size, for entries of at least `ratioFrom` bytes: small files of zeros are no bombs. */
  readonly ratio: number;
  readonly ratioFrom: number;
  readonly deadlineMs: number;
}

export const unzipLimits: UnzipLimits = {
  entries: 100_000,
  bytes: 8 * 1024 ** 3,
  ratio: 1_000,
  ratioFrom: 64 * 1024 ** 2,
  deadlineMs: 600_000,
};

/**
 * Unpacks into an existing, empty directory. All names are checked before the first byte is written, and an archive
 * with one bad entry is refused whole. Links are made last, so that nothing is ever written through one.
 * Throws UnsafeArchive.
 */
export async function unzip(
  archive: Buffer | { readonly file: string },
  directory: string,
  limits = unzipLimits,
): Promise<void> {
  const zip = await openZip(archive);
  try {
    const root = await realpath(directory);
    const planned = await planAll(zip, limits);
    const directories = new Set<string>();
    for (const { plan } of planned) directories.add(plan.kind === 'directory' ? plan.path : dirname(plan.path));
    for (const path of directories) await mkdir(join(root, path), { recursive: true });
    const budget = { left: limits.bytes, until: Date.now() + limits.deadlineMs };
    await writeFiles(zip, archive, { files: planned.filter(({ plan }) => plan.kind === 'file'), root, budget });
    for (const one of planned.filter(({ plan }) => plan.kind === 'link')) await makeLink(zip, one, root);
  } catch (error) {
    throw asUnsafe(error);
  } finally {
    zip.close();
  }
}

async function openZip(archive: Buffer | { readonly file: string }): Promise<ZipFile> {
  const options = { lazyEntries: true, autoClose: false, strictFileNames: true, validateEntrySizes: true } as const;
  try {
    return Buffer.isBuffer(archive)
      ? await fromBufferPromise(archive, options)
      : await openPromise(archive.file, options);
  } catch (error) {
    throw asUnsafe(error);
  }
}

async function planAll(zip: ZipFile, limits: UnzipLimits): Promise<readonly Planned[]> {
  if (zip.entryCount > limits.entries) throw new UnsafeArchive(`The archive has more than ${limits.entries} entries.`);
  const checkCollision = createCollisionCheck();
  const planned: Planned[] = [];
  let bytes = 0;
  for await (const entry of zip.eachEntry()) {
    const plan = planEntry(entry.fileName, entry.externalFileAttributes);
    checkCollision(plan);
    if (!entry.canDecodeFileData())
      throw new UnsafeArchive(`The archive was refused: ${plan.path} is encrypted or packed in an unknown way.`);
    bytes += entry.uncompressedSize;
    if (bytes > limits.bytes) throw new UnsafeArchive(`The archive unpacks to more than ${limits.bytes} bytes.`);
    const suspicious =
      entry.uncompressedSize >= limits.ratioFrom && entry.uncompressedSize > entry.compressedSize * limits.ratio;
    if (suspicious)
      throw new UnsafeArchive(`The archive was refused: ${plan.path} unpacks to over ${limits.ratio} times its size.`);
    planned.push({ entry, plan });
    if (planned.length > limits.entries)
      throw new UnsafeArchive(`The archive has more than ${limits.entries} entries.`);
  }
  return planned;
}

async function makeLink(zip: ZipFile, { entry, plan }: Planned, root: string): Promise<void> {
  if (entry.uncompressedSize > 4096)
    throw new UnsafeArchive(`The archive was refused: the link ${plan.path} is too long.`);
  const target = await readText(await zip.openReadStreamPromise(entry));
  checkLinkTarget(plan.path, target);
  const path = join(root, plan.path);
  await symlink(target, path);
  // Links through links can still lead out; the kernel knows best.
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined || real === root || real.startsWith(`${root}/`)) return;
  await rm(path);
  throw new UnsafeArchive(`The archive was refused: the link ${plan.path} leads out of it.`);
}

async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** What yauzl complains about is the archive's fault; errors of the disk are not. */
function asUnsafe(error: unknown): unknown {
  if (error instanceof UnsafeArchive || !(error instanceof Error)) return error;
  const ofTheDisk = 'syscall' in error;
  return ofTheDisk ? error : new UnsafeArchive(`The archive was refused: ${error.message}.`, { cause: error });
}
