import { describe, expect, it } from 'vitest';
import { createFileMatcher } from '../../src/buildspec/file-globs.ts';

const files = [
  'a.jar',
  'target/b.jar',
  'target/classes/C.class',
  'dist/index.html',
  'dist/.well-known/x',
  'README.md',
  'a[1].txt',
];

describe('patterns of artifact files (CP-B-7)', () => {
  it.each<readonly [string, readonly string[]]>([
    ['**/*', files],
    ['*', ['a.jar', 'README.md', 'a[1].txt']],
    ['**', files],
    ['*.jar', ['a.jar']],
    ['**/*.jar', ['a.jar', 'target/b.jar']],
    ['target/*', ['target/b.jar']],
    ['target/**/*', ['target/b.jar', 'target/classes/C.class']],
    ['./dist/**', ['dist/index.html', 'dist/.well-known/x']],
    ['dist/', ['dist/index.html', 'dist/.well-known/x']],
    ['README.md', ['README.md']],
    ['README.??', ['README.md']],
    ['{README,LICENSE}.md', ['README.md']],
    ['*.{jar,md}', ['a.jar', 'README.md']],
    ['[a-c].jar', ['a.jar']],
    ['[!a].jar', []],
    ['a\\[1].txt', ['a[1].txt']],
    ['target', []],
    ['**/C.class', ['target/classes/C.class']],
    ['**/classes/**', ['target/classes/C.class']],
  ])('%s', (pattern, expected) => {
    expect(files.filter(createFileMatcher([pattern]))).toEqual(expected);
  });

  it('more than 256 alternatives are taken literally', () => {
    const pattern = '{a,b}'.repeat(9);
    expect(['a', 'b'].map((letter) => createFileMatcher(['{a,b}'.repeat(8)])(letter.repeat(8)))).toEqual([true, true]);
    expect([pattern, 'a'.repeat(9)].map(createFileMatcher([pattern]))).toEqual([true, false]);
  });

  it('several patterns are added up', () => {
    expect(files.filter(createFileMatcher(['*.jar', 'README.md']))).toEqual(['a.jar', 'README.md']);
  });

  it.each([
    'a*a*a*a*a*a*a*a*a*a*b',
    '**/**/**/**/**/**/**/b',
    '{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}',
    '[[:constructor:]]',
    '[z-a]*',
  ])('%s is answered at once for any path (SEC-D-18)', (pattern) => {
    const matches = createFileMatcher([pattern]);
    const path = `${'a/'.repeat(100)}${'a'.repeat(4000)}`;
    const before = process.cpuUsage();
    for (let round = 0; round < 50; round += 1) matches(path);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000);
  });
});
