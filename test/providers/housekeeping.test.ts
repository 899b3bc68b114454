import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import { expireHome, recoverHome } from '../../src/providers/housekeeping.ts';
import { temporaryDirectory } from '../buildspec/rungs.ts';

const root = await temporaryDirectory();
const now = new Date();
const day = 86_400_000;

describe('keeping the home directory', () => {
  it('at start clears what commands of an earlier life left, also what they made unreadable', async () => {
    const home = join(root, 'start');
    await mkdir(join(home, 'work', 'a', 'src', 'locked'), { recursive: true });
    await mkdir(join(home, 'work', 'a', 'src', 'shut'), { mode: 0o000 });
    await mkdir(join(home, 'tmp'), { recursive: true });
    await writeFile(join(home, 'tmp', 'half.zip'), '');
    expect(await recoverHome(home, now)).toBe(0);
    expect(await readdir(join(home, 'work'))).toEqual([]);
    expect(await readdir(join(home, 'tmp'))).toEqual([]);
    expect(await recoverHome(join(root, 'none'), now)).toBe(0);
  });

  it('lets logs and artifacts go when they are older than they are kept, and never what was deployed', async () => {
    const home = join(root, 'old');
    const artifacts = openArtifactStore(home);
    for (const bucket of ['penstock-artifacts', 'site']) await artifacts.put({ bucket, key: 'k' }, Buffer.from('x'));
    for (const [execution, age] of [
      ['old', 40],
      ['new', 1],
    ] as const) {
      const file = join(home, 'logs', execution, 'a.log');
      await mkdir(join(home, 'logs', execution), { recursive: true });
      await writeFile(file, 'log');
      await utimes(file, new Date(now.getTime() - age * day), new Date(now.getTime() - age * day));
    }
    const retention = {
      logDays: 30,
      artifactDays: 30,
      cacheDays: 7,
      versionDays: 30,
      artifactBuckets: ['penstock-artifacts'],
    };
    expect(await expireHome(home, artifacts, retention, now)).toEqual({ logs: 1, objects: 0 });
    expect(await readdir(join(home, 'logs'))).toEqual(['new']);
    const later = new Date(now.getTime() + 31 * day);
    expect(await expireHome(home, artifacts, retention, later)).toEqual({ logs: 1, objects: 1 });
    expect(await artifacts.get({ bucket: 'site', key: 'k' })).not.toBeNull();
  });

  it('lets versions go some time after they were replaced or deleted, and what broken puts left', async () => {
    const home = join(root, 'versions');
    const artifacts = openArtifactStore(home);
    const put = (key: string, text: string) => artifacts.put({ bucket: 'site', key }, Buffer.from(text));
    const kept = await put('page', 'old').then(() => put('page', 'new'));
    await put('gone', 'x');
    await artifacts.delete({ bucket: 'site', key: 'gone' });
    const stray = join(dirname(kept.file), 'ffffffff-0000-4000-8000-000000000000.data');
    await writeFile(stray, 'half');
    const retention = { logDays: 30, artifactDays: 30, cacheDays: 7, versionDays: 30, artifactBuckets: [] };
    expect(await expireHome(home, artifacts, retention, now)).toEqual({ logs: 0, objects: 0 });
    expect(await artifacts.versions('site')).toHaveLength(4);
    await utimes(stray, new Date(now.getTime() - 2 * day), new Date(now.getTime() - 2 * day));
    const later = new Date(now.getTime() + 31 * day);
    expect(await expireHome(home, artifacts, retention, later)).toEqual({ logs: 0, objects: 3 });
    expect(await artifacts.versions('site')).toMatchObject([{ object: kept }]);
    expect(await readdir(dirname(kept.file))).toHaveLength(2);
  });
});
