import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allotLocation, DamagedArtifact, openArtifactStore } from '../../src/providers/artifact-store.ts';
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
        expect(stored.file).toMatch(/\/e\/artifacts\/[0-9a-f]{40}\/[0-9a-f-]{36}\.data$/);
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
