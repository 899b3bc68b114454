import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob, globProblem } from '../../src/pipeline/glob.ts';

describe('CP 1.8: the glob dialect', () => {
  it.each([
    ['main', 'main', true],
    ['main', 'Main', false],
    ['main', 'main2', false],
    ['*', 'main', true],
    ['*', 'feature/x', false],
    ['feature/*', 'feature/x', true],
    ['feature/*', 'feature/x/y', false],
    ['feature/**', 'feature/x/y', true],
    ['feature/**', 'feature', false],
    ['**', 'a/b/c', true],
    ['**', '', true],
    ['**/a.md', 'a.md', false],
    ['**/a.md', 'docs/a.md', true],
    ['**.md', 'docs/deep/a.md', true],
    ['src/**/*.ts', 'src/a.ts', false],
    ['src/**/*.ts', 'src/x/a.ts', true],
    ['v?', 'v1', true],
    ['v?', 'v12', false],
    ['a?b', 'a/b', false],
    ['v[0-9].[!x]', 'v3.y', true],
    ['v[0-9].[!x]', 'v3.x', false],
    ['[!a]', '/', false],
    ['[*?\\]', '\\', true],
    ['[a-]', '-', true],
    ['[a-a]', 'a', true],
    ['[\u{1F600}-\u{1F602}]', '\u{1F601}', true],
    ['{main,release/*}', 'release/1', true],
    ['{main,release/*}', 'release/1/2', false],
    ['{a,}b', 'b', true],
    ['a,b}', 'a,b}', true],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['?', '\u{1F600}', true],
    ['release-[1-3]', 'release-4', false],
  ])('%s against %s is %s', (pattern, text, expected) => {
    expect(compileGlob(pattern)(text)).toBe(expected);
  });

  it.each([
    ['{a', 'the brace { is never closed'],
    ['{a,{b}}', 'braces { } cannot stand inside braces'],
    ['[a', 'the bracket [ is never closed'],
    ['[]', 'the brackets [] are empty'],
    ['[z-a]', 'the range z-a runs backwards'],
    ['a\\', 'a backslash at the end escapes nothing'],
  ])('says what is wrong with %s and then takes it as plain text', (pattern, problem) => {
    expect(globProblem(pattern)).toBe(problem);
    expect(compileGlob(pattern)(pattern)).toBe(true);
  });

  it('needs no more steps for an evil pattern than length times length (SEC-D-18)', () => {
    const evil = compileGlob(`${'*a'.repeat(120)}b`);
    const worse = compileGlob(`${'{**,*,?}'.repeat(30)}end`);
    expect(evil('a'.repeat(5_000))).toBe(false);
    expect(worse('a/'.repeat(2_000))).toBe(false);
  });

  it.each([
    'a*a*a*a*a*a*a*a*b',
    '**/**/**/**/x',
    '+(a|aa)',
    '[[:constructor:]]',
    '{1..1e9}',
    '**a**a**b',
    '[!a]*[!a-z]',
  ])('%s is held against 3,000 paths of 300 characters in no time (SEC-D-18)', (pattern) => {
    const paths = Array.from({ length: 3_000 }, (_, index) => `${'a/aa'.repeat(74)}${index}`.padEnd(300, 'a'));
    const before = process.cpuUsage();
    const matches = compileGlob(pattern);
    expect(paths.filter((path) => matches(path))).toEqual([]);
    // A fifth of it on a quiet machine.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
  });

  it('agrees with a plain recursive matcher on every pattern of stars, marks and letters', () => {
    const pattern = fc.array(fc.constantFrom('a', 'b', '/', '*', '**', '?', '[ab]', '{a,b*}'), { maxLength: 6 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 7 });
    fc.assert(
      fc.property(pattern, text, (parts, value) => {
        expect(compileGlob(parts.join(''))(value)).toBe(reference(parts, value));
      }),
      { numRuns: 500 },
    );
  });
});

/** Tries every way to cut the text; slow and plainly right. Note that `*` beside `*` reads as `**`. */
function reference(parts: readonly string[], text: string): boolean {
  const tokens = parts.join('').match(/\*\*|\{a,b\*\}|\[ab\]|./g) ?? [];
  return matches(tokens, text);
}

function matches(tokens: readonly string[], text: string): boolean {
  const [token, ...rest] = tokens;
  if (token === undefined) return text === '';
  if (token === '{a,b*}') return matches(['a', ...rest], text) || matches(['b', '*', ...rest], text);
  if (token === '*' || token === '**') {
    if (matches(rest, text)) return true;
    return text !== '' && (token === '**' || !text.startsWith('/')) && matches(tokens, text.slice(1));
  }
  const char = text.slice(0, 1);
  const fits = token === '?' ? char !== '/' : token === '[ab]' ? char === 'a' || char === 'b' : char === token;
  return char !== '' && fits && matches(rest, text.slice(1));
}
