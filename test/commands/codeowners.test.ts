import { describe, expect, it } from 'vitest';
import { matchesPattern, ownedFiles, ownersOf, parseCodeowners } from '../../src/commands/codeowners.ts';

describe('CODEOWNERS patterns match as GitHub documents them', () => {
  it.each([
    ['*', 'README.md', true],
    ['*', 'a/b/c.ts', true],
    ['*.js', 'src/deep/x.js', true],
    ['*.js', 'src/x.ts', false],
    ['/build/logs/', 'build/logs/today.txt', true],
    ['/build/logs/', 'build/logs/2026/today.txt', true],
    ['/build/logs/', 'src/build/logs/today.txt', false],
    ['/build/logs/', 'build/logs', false],
    ['docs/*', 'docs/getting-started.md', true],
    ['docs/*', 'docs/build-app/troubleshooting.md', false],
    ['apps/', 'apps/x.ts', true],
    ['apps/', 'packages/apps/deep/x.ts', true],
    ['apps/', 'apps', false],
    ['/docs/', 'docs/a.md', true],
    ['/docs/', 'packages/docs/a.md', false],
    ['/apps/github', 'apps/github', true],
    ['/apps/github', 'apps/github/x.ts', true],
    ['/apps/github', 'apps/github2/x.ts', false],
    ['**/logs', 'build/logs/x.txt', true],
    ['**/logs', 'logs/x.txt', true],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['a/**', 'a/b/c', true],
    ['a/**', 'b/a/c', false],
    ['src/*.t?', 'src/x.ts', true],
    ['src/*.t?', 'src/x.tsx', false],
    ['README.MD', 'README.md', false],
    ['/', 'README.md', false],
  ])('%s on %s: %s', (pattern, path, expected) => {
    expect(matchesPattern(pattern, path)).toBe(expected);
  });
});

describe('CODEOWNERS files', () => {
  const { rules, skipped } = parseCodeowners(
    [
      '# everything',
      '*           @acme/all',
      '*.md @writer docs@example.org   # inline comment',
      '/apps/ @one',
      '/apps/free',
      '!/apps/x @nobody',
      '/bad[a-z] @nobody',
      '/wrong not-an-owner',
      'with\\ space.txt @spacer',
      '',
      '  # indented comment',
      `/${'long/'.repeat(100)} @nobody`,
    ].join('\r\n'),
  );

  it('skip comments, negations, ranges and lines with unreadable owners', () => {
    expect(rules.map((rule) => rule.line)).toEqual([2, 3, 4, 5, 9]);
    expect(skipped).toEqual([6, 7, 8, 12]);
  });

  it('let the last matching line decide, also when it names nobody', () => {
    expect(ownersOf(rules, 'src/x.ts')).toEqual(['@acme/all']);
    expect(ownersOf(rules, 'README.md')).toEqual(['@writer', 'docs@example.org']);
    expect(ownersOf(rules, 'apps/README.md')).toEqual(['@one']);
    expect(ownersOf(rules, 'apps/free/x.ts')).toEqual([]);
    expect(ownersOf(rules, 'with space.txt')).toEqual(['@spacer']);
  });

  it('group the touched files by their owners and leave out those of nobody', () => {
    const paths = ['a.ts', 'b.ts', 'apps/x.ts', 'apps/free/y.ts'];
    expect(ownedFiles(rules, paths)).toEqual([
      { owners: ['@acme/all'], files: ['a.ts', 'b.ts'] },
      { owners: ['@one'], files: ['apps/x.ts'] },
    ]);
  });

  it('match many stars against long names in steps that grow no faster than the product (SEC-D-18)', () => {
    const pattern = `${'a*'.repeat(100)}b`;
    const name = 'a'.repeat(2000);
    expect(matchesPattern(pattern, name)).toBe(false);
    expect(matchesPattern('**/'.repeat(80) + 'x', 'y/'.repeat(150) + 'z')).toBe(false);
  });
});
