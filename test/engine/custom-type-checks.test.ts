import { describe, expect, test } from 'vitest';
import type { CustomActionType } from '../../src/db/custom-action-types.ts';
import { customTypeProblem, fillTemplate } from '../../src/engine/embedded/custom-type-checks.ts';

const property = (name: string, more: object = {}) => ({ name, required: true, key: true, secret: false, ...more });
const counts = { minimumCount: 0, maximumCount: 5 };

function typeWith(change: object): CustomActionType {
  const type = { category: 'Build', provider: 'Mill', version: '1', configurationProperties: [property('Project')] };
  return { ...type, inputArtifactDetails: counts, outputArtifactDetails: counts, ...change } as CustomActionType;
}

describe('registering a custom action type', () => {
  test.each<[string, object, string | undefined]>([
    ['ten properties', { configurationProperties: many(10) }, undefined],
    ['eleven', { configurationProperties: many(11) }, 'at most 10'],
    ['one name twice', { configurationProperties: [property('A'), property('A')] }, "'A' is given twice"],
    ['two for queries', { configurationProperties: [asked('A'), asked('B')] }, 'At most one'],
    ['one for queries', { configurationProperties: [asked('A'), property('B')] }, undefined],
    [
      'an optional one for queries',
      { configurationProperties: [asked('A', { required: false })] },
      'required and not secret',
    ],
    [
      'a secret one for queries',
      { configurationProperties: [asked('A', { secret: true })] },
      'required and not secret',
    ],
  ])('%s (CP-J-2)', (_what, change, problem) => {
    expect(customTypeProblem(typeWith(change)) ?? 'fine').toContain(problem ?? 'fine');
  });

  test.each<[string, string, object[], string | undefined]>([
    ['a property', 'https://x/{Config:Project}/{ExternalExecutionId}', [property('Project')], undefined],
    ['one that nobody declared', 'https://x/{Config:Other}', [property('Project')], "names 'Other'"],
    ['an optional one', 'https://x/{Config:P}', [property('P', { required: false })], "names 'P'"],
    ['a secret one', 'https://x/{Config:P}', [property('P', { secret: true })], "names 'P'"],
  ])('a link with %s (CP-J-3)', (_what, executionUrlTemplate, configurationProperties, problem) => {
    const type = typeWith({ configurationProperties, settings: { executionUrlTemplate } });
    expect(customTypeProblem(type) ?? 'fine').toContain(problem ?? 'fine');
  });

  test('a link is there once all its parts are, and what stands in it stays in its place (CP-J-3)', () => {
    const template = 'https://x/{Config:P}?run={ExternalExecutionId}';
    expect(fillTemplate(template, { P: 'a/b&c' }, 'r 1')).toBe('https://x/a%2Fb%26c?run=r%201');
    expect(fillTemplate(template, { P: 'a' }, undefined)).toBeUndefined();
    expect(fillTemplate(template, {}, 'r')).toBeUndefined();
  });
});

function many(count: number): object[] {
  return Array.from({ length: count }, (_, index) => property(`P${index}`));
}

function asked(name: string, more: object = {}): object {
  return property(name, { queryable: true, ...more });
}
