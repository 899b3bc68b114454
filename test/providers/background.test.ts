import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { endLeftovers, nameOfToken } from '../../src/providers/action-record.ts';
import { createBackground, type Background, type Work } from '../../src/providers/background.ts';
import { temporaryDirectory } from '../buildspec/rungs.ts';

/** Two places, and work whose end the test says. */
async function twoPlaces(): Promise<{
  readonly background: Background;
  /** Those that have places begin in any order. */
  readonly begun: string[];
  readonly begin: (token: string, change?: Partial<Work>) => Promise<void>;
  readonly end: (token: string) => void;
  readonly ended: (token: string) => Promise<string>;
}> {
  const background = createBackground(await temporaryDirectory(), 2);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    background,
    begun,
    begin: async (token, change = {}) => {
      const run: Work['run'] = ({ signal }) =>
        new Promise((resolve) => {
          begun.push(token);
          const end = (): void => resolve({ kind: 'succeeded', outputVariables: {} });
          ends.set(token, end);
          signal.addEventListener('abort', end);
        });
      const work = { token, externalId: token, repeatable: false, heavy: true, run, changed: () => {}, ...change };
      expect(await background.start(work)).toMatchObject({ kind: 'running', externalId: token });
    },
    end: (token) => ends.get(token)?.(),
    ended: async (token) => {
      await expect.poll(async () => (await background.poll(token)).kind).not.toBe('running');
      return (await background.poll(token)).kind;
    },
  };
}

test('builds beyond the places wait in the order of their starts, and the action is InProgress (CP-F-19)', async () => {
  const { background, begun, begin, end, ended } = await twoPlaces();
  for (const token of ['a', 'b', 'c', 'd']) await begin(token);
  await expect.poll(() => begun.toSorted()).toEqual(['a', 'b']);
  expect(await background.poll('c')).toMatchObject({ kind: 'running' });
  end('b');
  expect(await ended('b')).toBe('succeeded');
  await expect.poll(() => begun.toSorted()).toEqual(['a', 'b', 'c']);
  for (const token of ['a', 'c']) end(token);
  await expect.poll(() => begun.toSorted()).toEqual(['a', 'b', 'c', 'd']);
  end('d');
  expect(await Promise.all(['a', 'c', 'd'].map(ended))).toEqual(['succeeded', 'succeeded', 'succeeded']);
});

test('work that is not a build waits for no place', async () => {
  const { begun, begin, end, ended } = await twoPlaces();
  for (const token of ['a', 'b']) await begin(token);
  await begin('deploy', { heavy: false });
  await expect.poll(() => begun.toSorted()).toEqual(['a', 'b', 'deploy']);
  for (const token of begun) end(token);
  expect(await ended('deploy')).toBe('succeeded');
});

test('a build that is stopped while it waits never begins, and takes nobody a place', async () => {
  const { background, begun, begin, end, ended } = await twoPlaces();
  for (const token of ['a', 'b', 'c', 'd']) await begin(token);
  await expect.poll(() => begun.toSorted()).toEqual(['a', 'b']);
  await background.stop('c');
  expect(await background.poll('c')).toMatchObject({ kind: 'failed', error: { message: 'The action was stopped.' } });
  end('a');
  expect(await ended('a')).toBe('succeeded');
  await expect.poll(() => begun.toSorted()).toEqual(['a', 'b', 'd']);
  await begin('e');
  for (const token of ['b', 'd']) end(token);
  await expect.poll(() => begun.toSorted()).toEqual(['a', 'b', 'd', 'e']);
  end('e');
  expect(await ended('e')).toBe('succeeded');
});

test('work whose record was damaged, as by a power cut, is lost and never done twice; the next start is not kept from', async () => {
  const home = await temporaryDirectory();
  await mkdir(join(home, 'actions'));
  await writeFile(join(home, 'actions', `${nameOfToken('a')}.json`), '');
  expect(await endLeftovers(home, new Date())).toBe(0);
  const background = createBackground(home, 1);
  const run = (): never => expect.unreachable('it may not run twice');
  const work = { token: 'a', externalId: 'a', repeatable: false, heavy: true, run, changed: () => {} };
  expect(await background.start(work)).toMatchObject({ kind: 'failed', error: { code: 'ActionLost' } });
});
