import { expect, test } from 'vitest';
import { defaultApprovers, defaultGatePolicy } from '../../src/commands/gate-policy.ts';
import { UserError } from '../../src/errors.ts';
import type { ChangedFiles, GitHub, PullRequest } from '../../src/github/github.ts';
import { filesOfPullRequest, gatherOwners } from '../../src/handlers/gate-owners.ts';

const repository = { id: 1, owner: 'acme', name: 'web', installationId: 7 };
const owned = { ...defaultApprovers, codeowners: true };
const asks = { 'Release/Approve': { ...defaultGatePolicy, from: owned } };

/** Owners of a change of these files, with these places of CODEOWNERS at the base. */
function gather(at: Readonly<Record<string, string>>, files: Partial<ChangedFiles> | Error, gates: object = asks) {
  const github: Partial<GitHub> = { readFile: (_repository, path) => Promise.resolve(at[path] ?? null) };
  return gatherOwners({ github: github as GitHub }, repository, {
    gates: gates as typeof asks,
    configSha: 'b'.repeat(40),
    files: () =>
      files instanceof Error ? Promise.reject(files) : Promise.resolve({ paths: [], truncated: false, ...files }),
  });
}

test('the first place where GitHub looks counts, alone (SEC-B-13)', async () => {
  const at = { '.github/CODEOWNERS': '* @one', CODEOWNERS: '* @two', 'docs/CODEOWNERS': '* @three' };
  const { '.github/CODEOWNERS': _, ...second } = at;
  const files = { paths: ['a'] };
  expect((await gather(at, files)).owners).toEqual([{ owners: ['@one'], files: ['a'] }]);
  expect((await gather(second, files)).owners).toEqual([{ owners: ['@two'], files: ['a'] }]);
  expect((await gather({}, files)).owners).toEqual([]);
});

test('a change whose files nobody can list has unknown owners, which no answer satisfies', async () => {
  const at = { CODEOWNERS: '* @one' };
  expect(await gather(at, { paths: ['a'], truncated: true })).toEqual({ owners: 'unknown' });
  expect(await gather(at, new UserError('too large'))).toEqual({ owners: 'unknown' });
  await expect(gather(at, new Error('away'))).rejects.toThrow('away');
});

test('they are asked for only where a gate needs them, in a group within a group too', async () => {
  const nested = { ...defaultApprovers, anyOf: [{ ...defaultApprovers, allOf: [owned] }] };
  const gates = (from: object) => ({ 'Release/Approve': { ...defaultGatePolicy, from } });
  const away = new Error('asked');
  expect(await gather({ CODEOWNERS: '* @one' }, away, gates(defaultApprovers))).toEqual({});
  await expect(gather({ CODEOWNERS: '* @one' }, away, gates(nested))).rejects.toThrow('asked');
});

test('of many files twenty are named and the rest is counted; lines that were skipped are named', async () => {
  const paths = Array.from({ length: 25 }, (_, index) => `f${index}`);
  const found = await gather({ CODEOWNERS: '* @one\n!/docs/ @two\n' }, { paths });
  expect(found).toEqual({ owners: [{ owners: ['@one'], files: paths.slice(0, 20), more: 5 }], skippedOwnerLines: [2] });
});

test('of a change too large to compare, the longer list counts only while its head is the same', async () => {
  const list = { paths: ['a', 'b'], truncated: false };
  const filesAt = (headNow: string, truncated = true) => {
    const github: Partial<GitHub> = {
      changedFiles: (_repository, { kind }) => Promise.resolve(kind === 'commits' ? { paths: ['a'], truncated } : list),
      pullRequest: () => Promise.resolve({ headSha: headNow } as PullRequest),
    };
    const pullRequest = { number: 5, baseSha: 'base', headSha: 'head' } as PullRequest;
    return filesOfPullRequest({ github: github as GitHub }, repository, pullRequest);
  };
  expect(await filesAt('head')).toEqual(list);
  expect(await filesAt('newer')).toEqual({ paths: [], truncated: true });
  expect(await filesAt('newer', false)).toEqual({ paths: ['a'], truncated: false });
});
