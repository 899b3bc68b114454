import { describe, expect, it } from 'vitest';
import type { TriggerFilters } from '../../src/pipeline/definition.ts';
import { decideTrigger, filtersOf, needsFiles, type TriggerEvent } from '../../src/pipeline/triggers.ts';
import { pipeline } from './pipelines.ts';

const main: TriggerFilters = { push: [{ branches: { includes: ['main'] } }] };
const tags: TriggerFilters = { push: [{ tags: { includes: ['v*'], excludes: ['v*-rc*'] } }] };
const api: TriggerFilters = {
  push: [{ branches: { includes: ['main'] }, filePaths: { includes: ['services/api/**'], excludes: ['**.md'] } }],
};
const docsOut: TriggerFilters = {
  pullRequest: [{ branches: { includes: ['main'] }, filePaths: { excludes: ['docs/**'] } }],
};
const intoMain: TriggerFilters = {
  pullRequest: [{ events: ['OPEN', 'UPDATED'], branches: { includes: ['main', 'release/**'] } }],
};
const either: TriggerFilters = {
  push: [{ branches: { includes: ['main'] } }, { tags: { includes: ['v*'] } }],
  pullRequest: [{ branches: { excludes: ['dev'] } }],
};

describe('CP-D-30 to D-38: does this event start the pipeline, and why', () => {
  it.each<[string, TriggerFilters, TriggerEvent, boolean, string]>([
    ['CP-D-30 the branch', main, push('main'), true, 'branch `main` matches `main`'],
    ['CP-D-37 another branch', main, push('dev'), false, 'branch `dev` is not in includes `main`'],
    ['case counts', main, push('Main'), false, 'branch `Main` is not in includes `main`'],
    ['CP-D-38 no tag', main, tag('main'), false, 'the filter is for branches only'],
    ['a pull request', main, pull('main'), false, 'nothing in its triggers starts it for a pull request'],
    ['CP-D-38 a tag', tags, tag('v1'), true, 'tag `v1` matches `v*`'],
    ['CP-D-31 exclude wins', tags, tag('v1-rc1'), false, 'tag `v1-rc1` is excluded by `v*-rc*`'],
    ['no branch', tags, push('v1'), false, 'the filter is for tags only'],
    ['* stays in one level', tags, tag('v1/x'), false, 'tag `v1/x` is not in includes `v*`'],
    [
      'CP-D-34 one file is enough',
      api,
      push('main', ['README.md', 'services/api/src/a.ts']),
      true,
      'branch `main` matches `main` and `services/api/src/a.ts` changed',
    ],
    [
      'CP-D-34 an excluded file alone',
      api,
      push('main', ['services/api/README.md']),
      false,
      'no file under `services/api/**` changed that is not excluded by `**.md`',
    ],
    [
      'CP-D-30 both fields have to match',
      api,
      push('dev', ['services/api/a.ts']),
      false,
      'branch `dev` is not in includes `main`',
    ],
    [
      'CP-D-35 a new branch has no diff',
      api,
      { ...push('main'), created: true },
      false,
      '`main` is a new branch, and a filter on files never matches a new branch',
    ],
    [
      'CP-D-35 without a file filter it has',
      main,
      { ...push('main'), created: true },
      true,
      'branch `main` matches `main`',
    ],
    ['no file changed', docsOut, pull('main', []), false, 'no file changed'],
    [
      'CP-D-31 only excludes',
      docsOut,
      pull('main', ['docs/a', 'src/b']),
      true,
      'target branch `main` matches `main` and `src/b` changed',
    ],
    ['all excluded', docsOut, pull('main', ['docs/a']), false, 'every changed file is excluded by `docs/**`'],
    ['CP-D-33 the target branch', intoMain, pull('main'), true, 'target branch `main` matches `main`'],
    [
      'CP-D-33 another target',
      intoMain,
      pull('dev'),
      false,
      'target branch `dev` is not in includes `main`, `release/**`',
    ],
    ['** crosses levels', intoMain, pull('release/1/2'), true, 'target branch `release/1/2` matches `release/**`'],
    [
      'CP-D-32 another event',
      intoMain,
      { ...pull('main'), event: 'CLOSED' },
      false,
      'the pull request event CLOSED is not among OPEN, UPDATED',
    ],
    [
      'CP-D-36 closed too',
      either,
      { ...pull('main'), event: 'CLOSED' },
      true,
      'target branch `main` is not filtered out',
    ],
    ['CP-D-30 the second filter', either, tag('v2'), true, 'tag `v2` matches `v*`'],
    [
      'no filter matches',
      either,
      push('dev'),
      false,
      'branch `dev` is not in includes `main`; the filter is for tags only',
    ],
    ['an excluded target', either, pull('dev'), false, 'target branch `dev` is excluded by `dev`'],
    ['CP-D-31 nothing given', { push: [{}] }, push('any/thing'), true, 'branch `any/thing` is not filtered out'],
    ['an empty filter is no tag filter', { push: [{}] }, tag('v1'), false, 'the filter is for branches only'],
    ['no triggers at all', {}, push('main'), false, 'nothing in its triggers starts it for a push'],
    [
      'CP-D-31 the same pattern twice',
      { push: [{ branches: { includes: ['a'], excludes: ['a'] } }] },
      push('a'),
      false,
      'branch `a` is excluded by `a`',
    ],
    ['names are made safe for one line', main, push('a`b\nc'), false, "branch `a'b'c` is not in includes `main`"],
  ])('%s', (_name, filters, event, starts, reason) => {
    expect(decideTrigger(filters, event)).toMatchObject({ starts, reason });
  });

  it('starts with a warning when GitHub cut the list and the files decide', () => {
    const event = { ...push('main', ['README.md']), truncated: true };
    expect(decideTrigger(api, event)).toEqual({
      starts: true,
      reason: 'branch `main` matches `main`',
      warnings: [
        'GitHub listed only 1 of the changed files, so the file filter could not be judged; started to be safe',
      ],
    });
    expect(decideTrigger(api, { ...push('dev'), truncated: true }).starts).toBe(false);
  });

  it('CP-D-35: judges all files and says where AWS would look at the first hundred only', () => {
    const paths = [...Array.from({ length: 150 }, (_, index) => `docs/${index}`), 'services/api/a.ts'];
    expect(decideTrigger(api, push('main', paths))).toMatchObject({
      starts: true,
      warnings: ['AWS would look at only 100 of the 151 changed files; all were judged'],
    });
  });
});

describe('which filters count', () => {
  const stages = { Source: ['App'], Build: ['Unit'] };

  it('CP-D-29: the declaration first, joined over its triggers', () => {
    const trigger = (gitConfiguration: object) => ({ providerType: 'CodeStarSourceConnection', gitConfiguration });
    const { definition } = pipeline({
      stages: { Source: ['App', 'Lib'], Build: ['Unit'] },
      triggers: [
        trigger({ sourceActionName: 'App', push: [{ branches: { includes: ['a'] } }] }),
        trigger({ sourceActionName: 'Lib', pullRequest: [{ branches: { includes: ['b'] } }] }),
      ],
    });
    expect(filtersOf(definition, main)).toEqual({
      push: [{ branches: { includes: ['a'] } }],
      pullRequest: [{ branches: { includes: ['b'] } }],
    });
  });

  it('then `on:`', () => {
    expect(filtersOf(pipeline({ stages }).definition, intoMain)).toBe(intoMain);
  });

  it('then the branch of the source action, for pushes and for pull requests into it', () => {
    expect(filtersOf(pipeline({ stages }).definition)).toEqual({
      push: [{ branches: { includes: ['main'] } }],
      pullRequest: [{ events: ['OPEN', 'UPDATED'], branches: { includes: ['main'] } }],
    });
  });

  it('a branch with signs of a pattern in its name is taken literally', () => {
    const configuration = { ConnectionArn: 'a', FullRepositoryId: 'a/b', BranchName: 'rel[1]' };
    const { definition } = pipeline({ stages, actions: { 'Source/App': { configuration } } });
    expect(decideTrigger(filtersOf(definition), push('rel[1]')).starts).toBe(true);
    expect(decideTrigger(filtersOf(definition), push('rel1')).starts).toBe(false);
  });

  it('none when the source action switches detection off', () => {
    const configuration = { ConnectionArn: 'a', FullRepositoryId: 'a/b', BranchName: 'main', DetectChanges: 'false' };
    const { definition } = pipeline({ stages, actions: { 'Source/App': { configuration } } });
    expect(filtersOf(definition)).toEqual({ push: [], pullRequest: [] });
  });

  it('a trigger without filters watches the branch of its action', () => {
    const triggers = [{ providerType: 'CodeStarSourceConnection', gitConfiguration: { sourceActionName: 'App' } }];
    expect(filtersOf(pipeline({ stages, triggers }).definition).push).toEqual([{ branches: { includes: ['main'] } }]);
  });

  it('files are asked for only when a filter needs them', () => {
    expect(needsFiles(main)).toBe(false);
    expect(needsFiles(api)).toBe(true);
    expect(needsFiles(api, 'pull-request')).toBe(false);
    expect(needsFiles(docsOut, 'pull-request')).toBe(true);
    expect(needsFiles(api, 'push-tag')).toBe(false);
  });
});

function push(branch: string, paths: readonly string[] = ['a.ts']): Extract<TriggerEvent, { kind: 'push-branch' }> {
  return { kind: 'push-branch', branch, created: false, paths, truncated: false };
}

function tag(name: string): TriggerEvent {
  return { kind: 'push-tag', tag: name };
}

function pull(
  baseBranch: string,
  paths: readonly string[] = ['a.ts'],
): Extract<TriggerEvent, { kind: 'pull-request' }> {
  return { kind: 'pull-request', event: 'OPEN', baseBranch, paths, truncated: false };
}
