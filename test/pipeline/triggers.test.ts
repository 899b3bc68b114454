import { describe, expect, it } from 'vitest';
import type { TriggerFilters } from '../../src/pipeline/definition.ts';
import { decideTrigger, filtersOf, needsFiles, type TriggerEvent } from '../../src/pipeline/triggers.ts';
import { pipeline } from './pipelines.ts';

const main: TriggerFilters = { push: [{ branches: { includes: ['main'] } }] };
const api: TriggerFilters = {
  push: [{ branches: { includes: ['main'] }, filePaths: { includes: ['services/api/**'], excludes: ['**.md'] } }],
};
const docsOut: TriggerFilters = {
  pullRequest: [{ branches: { includes: ['main'] }, filePaths: { excludes: ['docs/**'] } }],
};
const intoMain: TriggerFilters = {
  pullRequest: [{ events: ['OPEN', 'UPDATED'], branches: { includes: ['main', 'release/**'] } }],
};

describe('does this event start the pipeline, and why: the rows are in scenarios/triggers', () => {
  it('names are made safe for one line', () => {
    const reason = "branch `a'b'c` is not in includes `main`";
    expect(decideTrigger(main, push('a`b\nc'))).toMatchObject({ starts: false, reason });
  });

  it('names of more than 120 signs are cut to that', () => {
    const reasonFor = (name: string) => decideTrigger(main, push(name)).reason;
    expect(reasonFor('b'.repeat(120))).toContain(`branch \`${'b'.repeat(120)}\` is`);
    expect(reasonFor('b'.repeat(121))).toContain(`branch \`${'b'.repeat(119)}…\` is`);
  });

  it('CP-D-35: a hundred files are no reason to warn', () => {
    const files = Array.from({ length: 100 }, (_, index) => `services/api/${index}.ts`);
    expect(decideTrigger(api, push('main', files))).toMatchObject({ starts: true, warnings: [] });
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

  it.each([
    ['CodeStarSourceConnection', { ConnectionArn: 'a', FullRepositoryId: 'a/b' }, 1],
    ['CodeStarSourceConnection', { ConnectionArn: 'a', FullRepositoryId: 'a/b', DetectChanges: 'false' }, 0],
    ['CodeStarSourceConnection', { ConnectionArn: 'a', FullRepositoryId: 'a/b', DetectChanges: 'True' }, 1],
    ['CodeCommit', { RepositoryName: 'b', PollForSourceChanges: 'True' }, 1],
    ['CodeCommit', { RepositoryName: 'b', PollForSourceChanges: 'no' }, 0],
  ])('CP-P-1: %s with %j watches %i branches', (provider, given, count) => {
    const actionTypeId = { category: 'Source', owner: 'AWS', provider, version: '1' } as const;
    const action = { actionTypeId, configuration: { ...given, BranchName: 'main' } };
    const { push, pullRequest } = filtersOf(pipeline({ stages, actions: { 'Source/App': action } }).definition);
    expect([push?.length, pullRequest?.length]).toEqual([count, count]);
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
