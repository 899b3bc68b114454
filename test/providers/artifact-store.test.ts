import { chmod, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { allotLocation, mostVersions, openArtifactStore } from '../../src/providers/artifact-store.ts';
import { checkDigest, DamagedArtifact, rememberingCheck } from '../../src/providers/digest-check.ts';
import { temporaryDirectory } from '../buildspec/rungs.ts';

const root = await temporaryDirectory();

describe('the artifact store', () => {
  it('keeps what was put, with its digest, and replaces it as a whole', async () => {
    const store = openArtifactStore(join(root, 'a'));
    const location = { bucket: 'site', key: 'index.html' };
    const first = await store.put(location, Buffer.from('one'));
    await writeFile(join(root, 'two'), 'two');
    const second = await store.put(location, { file: join(root, 'two') });
    expect(second.versionId).not.toBe(first.versionId);
    expect(await store.get(location)).toEqual(second);
    expect(second).toMatchObject({
      size: 3,
      sha256: '3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3',
    });
    expect(await store.get({ bucket: 'site', key: 'other' })).toBeNull();
    await store.delete(location);
    expect(await store.get(location)).toBeNull();
  });

  it('keeps older versions, and hides all of them behind a mark until that is erased', async () => {
    const store = openArtifactStore(join(root, 'versions'));
    const location = { bucket: 'site', key: 'index.html' };
    const [one, two] = [await store.put(location, Buffer.from('one')), await store.put(location, Buffer.from('two'))];
    expect(await store.get(location, one.versionId)).toEqual(one);
    const mark = await store.delete(location);
    expect(await store.list('site')).toEqual([]);
    const ids = async () => (await store.versions('site')).map(({ versionId, isLatest }) => [versionId, isLatest]);
    expect(await ids()).toEqual([
      [mark, true],
      [two.versionId, false],
      [one.versionId, false],
    ]);
    expect(await store.get(location, mark)).toBeNull();
    expect(await store.get(location, two.versionId)).toEqual(two);
    await store.erase(location, mark);
    expect(await store.get(location)).toEqual(two);
    await store.erase(location, two.versionId);
    expect(await store.get(location)).toEqual(one);
    await store.erase(location);
    expect([await ids(), await store.hasBucket('site')]).toEqual([[], false]);
  });

  it('orders versions by when they came, also when the clock goes back or many come at once', async () => {
    const store = openArtifactStore(join(root, 'order'));
    const location = { bucket: 'b', key: 'k' };
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => store.put(location, Buffer.from(`${n}`))));
    const versions = await store.versions('b');
    expect(versions.map(({ versionId }) => versionId).toSorted()).toEqual(all.map((o) => o.versionId).toSorted());
    vi.useFakeTimers({ now: Date.now() - 86_400_000, toFake: ['Date'] });
    const last = await store.put(location, Buffer.from('yesterday')).finally(() => vi.useRealTimers());
    expect(await store.get(location)).toEqual(last);
  });

  it('keeps a hundred versions of one object, and none of a cache', async () => {
    const store = openArtifactStore(join(root, 'many'));
    const location = { bucket: 'b', key: 'k' };
    const first = await store.put(location, Buffer.from('0'));
    for (let n = 1; n < mostVersions; n += 1) await store.put(location, Buffer.from(`${n}`));
    expect(await store.get(location, first.versionId)).toEqual(first);
    await store.put(location, Buffer.from('one too many'));
    expect(await store.get(location, first.versionId)).toBeNull();
    expect(await store.versions('b')).toHaveLength(mostVersions);
    await store.put(location, Buffer.from('alone'), { keepOlder: false });
    expect(await store.versions('b')).toHaveLength(1);
    const files = await readdir(join(root, 'many'), { recursive: true, withFileTypes: true });
    expect(files.filter((entry) => entry.isFile())).toHaveLength(2);
  });

  it('lets only one of many puts through that must not replace anything', async () => {
    const store = openArtifactStore(join(root, 'once'));
    const unless = (current: unknown): void => {
      if (current) throw new Error('there already');
    };
    const put = (n: number) => store.put({ bucket: 'b', key: 'lock' }, Buffer.from(`${n}`), { unless });
    const ends = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => put(n)));
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await store.versions('b')).toHaveLength(1);
    const files = await readdir(join(root, 'once'), { recursive: true, withFileTypes: true });
    expect(files.filter((entry) => entry.isFile())).toHaveLength(2);
  });

  it('lists a bucket by prefix, in the order of keys', async () => {
    const store = openArtifactStore(join(root, 'b'));
    for (const key of ['v2/a', 'v1/b', 'v1/a']) await store.put({ bucket: 'site', key }, Buffer.from(key));
    await store.put({ bucket: 'other', key: 'v1/z' }, Buffer.from('z'));
    expect((await store.list('site', 'v1/')).map(({ location }) => location.key)).toEqual(['v1/a', 'v1/b']);
    expect(await store.list('nothing')).toEqual([]);
  });

  it('never hands over content that is not what was put', async () => {
    const store = openArtifactStore(join(root, 'c'));
    const location = { bucket: 'artifacts', key: 'web/Built/abc' };
    const stored = await store.put(location, Buffer.from('genuine'));
    await chmod(stored.file, 0o600);
    await writeFile(stored.file, 'swapped');
    await expect(store.get(location)).rejects.toThrow(DamagedArtifact);
  });

  it('reads a file once for its many parts, and again when it changed or after a minute', async () => {
    const store = openArtifactStore(join(root, 'parts'));
    const stored = await store.put({ bucket: 'sources', key: 'big.zip' }, Buffer.from('genuine'));
    let [readings, clock] = [0, 0];
    const check = rememberingCheck(
      async (found) => {
        readings += 1;
        await checkDigest(found);
      },
      () => clock,
    );
    await Promise.all([check(stored), check(stored), check(stored)]);
    await check(stored);
    expect(readings).toBe(1);
    clock = 60_000;
    await check(stored);
    expect(readings).toBe(2);
    const { atime, mtime } = await stat(stored.file);
    await chmod(stored.file, 0o600);
    await writeFile(stored.file, 'swapped');
    await utimes(stored.file, atime, mtime);
    for (const asked of [check, check, (found: typeof stored) => store.checkForPart(found)])
      await expect(asked(stored)).rejects.toThrow(DamagedArtifact);
    await writeFile(stored.file, 'genuine');
    await check(stored);
    await rm(stored.file);
    await expect(check(stored)).rejects.toThrow('cannot be read');
  });

  it('leaves nothing of a put that broke off', async () => {
    const store = openArtifactStore(join(root, 'd'));
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('half');
        await Promise.resolve();
        throw new Error('the other side went away');
      })(),
    );
    await expect(store.put({ bucket: 'b', key: 'k' }, broken)).rejects.toThrow('went away');
    expect(await store.get({ bucket: 'b', key: 'k' })).toBeNull();
    const files = await readdir(join(root, 'd'), { recursive: true, withFileTypes: true });
    expect(files.filter((entry) => entry.isFile())).toEqual([]);
  });

  it('property: names from outside never leave the directory (SEC-C-08)', async () => {
    const store = openArtifactStore(join(root, 'e'));
    const name = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.constantFrom('../../x', '/etc/passwd', 'a/../../b', 'a\0b', '.', '..'),
    );
    await fc.assert(
      fc.asyncProperty(name, name, async (bucket, key) => {
        const stored = await store.put({ bucket, key }, Buffer.from(key));
        expect(stored.file).toMatch(/\/e\/artifacts\/[0-9a-f]{40}\/[0-9a-f]{40}\/[0-9a-f-]{36}\.data$/);
        expect((await store.get({ bucket, key }))?.location).toEqual({ bucket, key });
      }),
      { numRuns: 60 },
    );
    await expect(store.put({ bucket: 'b', key: 'k'.repeat(2000) }, Buffer.from(''))).rejects.toThrow(/1 to 1024/);
  });

  it('allots a place by pipeline, artifact and seed (CP-D-25, CP-D-27)', () => {
    const place = allotLocation('bucket', 'a-pipeline-with-a-long-name', 'SourceArtifact', 'execution/1');
    expect(place.key).toMatch(/^a-pipeline-with-a-lo\/SourceArti\/[A-Za-z0-9]{7}$/);
    expect(allotLocation('bucket', 'a-pipeline-with-a-long-name', 'SourceArtifact', 'execution/1')).toEqual(place);
    expect(allotLocation('bucket', 'a-pipeline-with-a-long-name', 'SourceArtifact', 'execution/2')).not.toEqual(place);
  });
});
