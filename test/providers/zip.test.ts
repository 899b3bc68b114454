import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { unzipApart } from '../../src/providers/unzip-apart.ts';
import { writeZip, type Packing } from '../../src/providers/write-zip.ts';
import { listFiles, packedFiles, UnsafeArchive, unzip, unzipLimits } from '../../src/providers/zip.ts';
import { temporaryDirectory } from '../buildspec/rungs.ts';
import { zipOf } from './zip-of.ts';

const root = await temporaryDirectory();
let count = 0;

async function freshDirectory(): Promise<string> {
  count += 1;
  const directory = join(root, String(count));
  await mkdir(directory);
  return directory;
}

async function zipDirectory(directory: string, to: string, packing?: Packing): Promise<void> {
  const paths = (await listFiles(directory)).map(({ path }) => path);
  await writeZip(await packedFiles(directory, paths), to, packing);
}

/** A ZIP with names that writers refuse: same length as the harmless ones they replace. */
async function forged(files: Parameters<typeof zipOf>[0], names: Readonly<Record<string, string>>): Promise<Buffer> {
  let bytes = (await zipOf(files)).toString('latin1');
  for (const [from, to] of Object.entries(names)) bytes = bytes.replaceAll(from, to);
  return Buffer.from(bytes, 'latin1');
}

describe('packing', () => {
  it('gives the same bytes for the same files, whenever and in whatever order they were made', async () => {
    const digests: string[] = [];
    for (const order of [
      ['a', 'b/c', 'd'],
      ['d', 'b/c', 'a'],
    ]) {
      const directory = await freshDirectory();
      await mkdir(join(directory, 'b'));
      for (const name of order) await writeFile(join(directory, name), `text of ${name}`);
      await chmod(join(directory, 'd'), 0o755);
      await zipDirectory(directory, `${directory}.zip`);
      digests.push(
        createHash('sha256')
          .update(await readFile(`${directory}.zip`))
          .digest('hex'),
      );
    }
    expect(digests[0]).toBe(digests[1]);
  });

  it('carries contents, modes and hidden files, but no .git and no link that leads out', async () => {
    const directory = await freshDirectory();
    await mkdir(join(directory, '.git/hooks'), { recursive: true });
    await writeFile(join(directory, '.git/hooks/pre-commit'), 'evil');
    await writeFile(join(directory, '.hidden'), 'h');
    await writeFile(join(directory, 'run'), '#!/bin/sh\n', { mode: 0o755 });
    await symlink('/etc/passwd', join(directory, 'stolen'));
    await symlink('.hidden', join(directory, 'alias'));
    await zipDirectory(directory, `${directory}.zip`);
    const out = await freshDirectory();
    await unzip({ file: `${directory}.zip` }, out);
    expect((await readdir(out)).sort()).toEqual(['.hidden', 'alias', 'run']);
    expect((await stat(join(out, 'run'))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(out, 'alias'), 'utf8')).toBe('h');
  });

  it('is readable by the unzip of the machine', async () => {
    const directory = await freshDirectory();
    await writeFile(join(directory, 'ümlaut.txt'), 'x'.repeat(100_000));
    await zipDirectory(directory, `${directory}.zip`);
    const listed = execFileSync('python3', ['-m', 'zipfile', '-l', `${directory}.zip`], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
    });
    expect(listed).toContain('ümlaut.txt');
  });

  it('ends with the reason where the archive cannot be written', async () => {
    const directory = await freshDirectory();
    for (const name of ['a', 'b', 'c']) await writeFile(join(directory, name), 'x'.repeat(1_500_000));
    await expect(zipDirectory(directory, '/dev/full', 'stored')).rejects.toThrow(/EEXIST/);
    await expect(zipDirectory(directory, join(directory, 'none/there.zip'))).rejects.toThrow(/ENOENT/);
    const open = async (): Promise<readonly string[]> =>
      Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    await expect.poll(async () => (await open()).filter((path) => path.startsWith(directory))).toEqual([]);
  });

  it.each([
    ['small', 100],
    ['large', 1_500_000],
  ])('refuses a %s file that is not what it was when it was found', async (_name, bytes) => {
    const directory = await freshDirectory();
    const path = join(directory, 'file');
    const changes = [
      () => writeFile(path, 'x'.repeat(bytes - 1)),
      () => writeFile(path, 'x'.repeat(bytes + 1)),
      async () => {
        await rm(path);
        execFileSync('mkfifo', [path]);
      },
    ];
    for (const change of changes) {
      await writeFile(path, 'x'.repeat(bytes));
      const found = await packedFiles(directory, ['file']);
      await change();
      const packing = writeZip(found, join(root, `${(count += 1)}.zip`));
      await expect(packing).rejects.toThrow(/^file changed while it was packed\. /);
    }
  });
});

async function withWrongChecksum(text: string): Promise<Buffer> {
  const archive = await zipOf({ a: text, b: 'y' });
  const entry = archive.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02]));
  archive.writeUInt32LE(1, entry + 16);
  return archive;
}

const link = (text: string): { text: string; mode: number } => ({ text, mode: 0o120777 });

describe('an archive is refused whole (SEC-D-15)', () => {
  it.each<readonly [string, () => Promise<Buffer>]>([
    ['.. in a path', () => forged({ ok: 'x', 'aa/evil': 'x' }, { 'aa/evil': '../evil' })],
    ['.. in the middle', () => forged({ 'a/bb/cccc': 'x' }, { 'a/bb/cccc': 'a/../../c' })],
    ['an absolute path', () => forged({ 'aetc/passwd': 'x' }, { 'aetc/passwd': '/etc/passwd' })],
    ['a drive letter', () => forged({ Caaevil: 'x' }, { Caaevil: 'C:/evil' })],
    ['a backslash', () => forged({ 'a-b': 'x' }, { 'a-b': 'a\\b' })],
    ['a NUL', () => forged({ 'a-b': 'x' }, { 'a-b': 'a\0b' })],
    ['an empty part', () => forged({ 'a-/b': 'x' }, { 'a-/b': 'a//b' })],
    ['a link out', () => zipOf({ out: link('../../etc') })],
    ['a link out to what is not there yet', () => zipOf({ out: link('../evil') })],
    ['an absolute link', () => zipOf({ out: link('/etc/passwd') })],
    ['a file through a link', () => zipOf({ dir: link('real'), 'dir/file': 'x' })],
    ['a link named as a directory', () => forged({ 'dir-': link('x') }, { 'dir-': 'dir/' })],
    ['a chain of links that leads out', () => zipOf({ 'a/b/up': link('../..'), c: link('a/b/up/..') })],
    ['a device', () => zipOf({ dev: { text: '', mode: 0o020644 } })],
    ['a fifo', () => zipOf({ pipe: { text: '', mode: 0o010644 } })],
    ['a socket', () => zipOf({ sock: { text: '', mode: 0o140644 } })],
    ['.git/hooks', () => zipOf({ '.git/hooks/post-checkout': 'x' })],
    ['.GIT by another spelling', () => zipOf({ 'a/.GiT/config': 'x' })],
    ['git~1', () => zipOf({ 'git~1/config': 'x' })],
    ['a name twice', () => forged({ aa: 'x', ab: 'y' }, { ab: 'aa' })],
    ['names that differ in case', () => zipOf({ 'A.txt': 'x', 'a.txt': 'y' })],
    ['names that differ in normal form', () => zipOf({ 'caf\u00e9': 'x', 'cafe\u0301': 'y' })],
    ['directories that differ in case', () => zipOf({ 'Dir/x': 'x', 'dir/y': 'y' })],
    ['a file where a directory is', () => zipOf({ 'a/b': 'x', a: 'y' })],
    ['contents that are not what their checksum says', () => withWrongChecksum('x'.repeat(100))],
    ['large contents that are not what their checksum says', () => withWrongChecksum('x'.repeat(1_500_000))],
    ['a cut archive', async () => (await zipOf({ a: 'x'.repeat(1000) })).subarray(0, 60)],
    ['no archive at all', () => Promise.resolve(Buffer.from('hello'))],
  ])('%s', async (_name, archive) => {
    const directory = await freshDirectory();
    await expect(unzip(await archive(), directory)).rejects.toThrow(UnsafeArchive);
    const left = await readdir(directory, { recursive: true, withFileTypes: true });
    expect(
      left
        .filter((entry) => !entry.isDirectory())
        .map(({ name }) => name)
        .filter((name) => name === 'evil'),
    ).toEqual([]);
    expect(await readdir(root)).not.toContain('evil');
  });

  it('takes setuid off and keeps what is harmless: links below the root, odd but legal names', async () => {
    const directory = await freshDirectory();
    await unzip(
      await zipOf({ tool: { text: 'x', mode: 0o104755 }, 'a/link': link('../tool'), "it's $(id) -x": 'y', '..c': 'z' }),
      directory,
    );
    expect((await stat(join(directory, 'tool'))).mode & 0o7777).toBe(0o755);
    expect(await readlink(join(directory, 'a/link'))).toBe('../tool');
    expect(await readFile(join(directory, "it's $(id) -x"), 'utf8')).toBe('y');
  });
});

describe('large and small files', () => {
  it.each(['deflated', 'stored'] as const)('come out as they went in: %s', async (packing) => {
    const directory = await freshDirectory();
    const contents = ['', 'small', 'x'.repeat(1024 * 1024), 'y'.repeat(3 * 1024 * 1024 + 1)];
    for (const [index, text] of contents.entries()) await writeFile(join(directory, String(index)), text);
    for (let index = contents.length; index < 50; index += 1) await writeFile(join(directory, String(index)), '');
    await zipDirectory(directory, `${directory}.zip`, packing);
    for (const archive of [{ file: `${directory}.zip` }, await readFile(`${directory}.zip`)]) {
      const out = await freshDirectory();
      await unzip(archive, out);
      expect(await readdir(out)).toHaveLength(50);
      for (const [index, text] of contents.entries())
        expect((await readFile(join(out, String(index)), 'utf8')) === text).toBe(true);
    }
  });
});

describe('an archive cannot fill the machine (SEC-D-16)', () => {
  it('by packing one to a thousand', async () => {
    const bomb = await zipOf({ zeros: '\0'.repeat(8 * 1024 ** 2) });
    await expect(unzip(bomb, await freshDirectory(), { ...unzipLimits, ratio: 100, ratioFrom: 1024 })).rejects.toThrow(
      /over 100 times/,
    );
  });

  it('by its size, by the number of its entries, or by lying about sizes', async () => {
    const small = { ...unzipLimits, bytes: 1000, entries: 3 };
    await expect(
      unzip(await zipOf({ a: 'x'.repeat(600), b: 'x'.repeat(600) }), await freshDirectory(), small),
    ).rejects.toThrow(/more than 1000 bytes/);
    await expect(unzip(await zipOf({ a: '', b: '', c: '', d: '' }), await freshDirectory(), small)).rejects.toThrow(
      /more than 3 entries/,
    );
    const lying = await zipOf({ a: 'x'.repeat(5000) });
    const entry = lying.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02]));
    lying.writeUInt32LE(10, entry + 24);
    await expect(unzip(lying, await freshDirectory(), small)).rejects.toThrow(UnsafeArchive);
  });

  it('by taking for ever', async () => {
    const archive = await zipOf({ a: 'x'.repeat(100_000) });
    await expect(unzip(archive, await freshDirectory(), { ...unzipLimits, deadlineMs: -1 })).rejects.toThrow(
      /too long/,
    );
  });
});

describe('archives are unpacked in a process of their own (SEC-D-16)', () => {
  const filler = { filler: randomBytes(100_000).toString('base64') };
  async function stored(files: Parameters<typeof zipOf>[0]): Promise<string> {
    count += 1;
    await writeFile(join(root, `${count}.zip`), await zipOf({ ...filler, ...files }));
    return join(root, `${count}.zip`);
  }

  it('which writes the files and tells what it refused', async () => {
    const out = await freshDirectory();
    await unzipApart(await stored({ 'a/b': 'text' }), out);
    expect(await readFile(join(out, 'a/b'), 'utf8')).toBe('text');
    expect(await readFile(join(out, 'filler'), 'utf8')).toBe(filler.filler);
    const evil = unzipApart(await stored({ out: link('../../etc') }), await freshDirectory());
    await expect(evil).rejects.toThrow(UnsafeArchive);
    await expect(evil).rejects.toThrow('"out" is a link out of the archive');
  });

  it('whose other troubles are no fault of the archive', async () => {
    const unpacking = unzipApart(await stored({ a: 'x' }), join(root, 'nowhere'));
    await expect(unpacking).rejects.toThrow(/could not be unpacked: .*ENOENT/);
    await expect(unpacking).rejects.not.toThrow(UnsafeArchive);
  });

  it('which has little memory, and is ended when it hangs', async () => {
    const pipe = join(root, 'never-ending');
    execFileSync('mkfifo', [pipe]);
    const unpacking = unzipApart(pipe, await freshDirectory(), { ...unzipLimits, deadlineMs: 0 });
    const limits = await waitFor(() => limitsOfProcess(pipe));
    expect(limits).toMatch(/Max data size +1073741824 /);
    await expect(unpacking).rejects.toThrow(/more memory or time/);
    expect(limitsOfProcess(pipe)).toBeUndefined();
  });
});

async function waitFor<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Of the running unzip-process that was given this archive. */
function limitsOfProcess(archive: string): string | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const ours = words[0] === process.execPath && words.some((word) => word.includes(archive));
      if (ours) return readFileSync(`/proc/${pid}/limits`, 'utf8');
    } catch {
      // It ended meanwhile.
    }
  }
  return undefined;
}
