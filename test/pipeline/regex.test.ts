import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRegex } from '../../src/pipeline/regex.ts';

/** Each row: pattern, values that match as a whole, values that do not. */
const judged: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['', [''], ['a']],
  ['release-\\d+', ['release-7', 'release-77'], ['release-', 'release-7 ', 'a release-7', 'release-٣']],
  ['a|bc|', ['a', 'bc', ''], ['b', 'abc', 'ac']],
  ['(a|b)c', ['ac', 'bc'], ['a', 'abc']],
  ['x(?:ab)*y', ['xy', 'xaby', 'xababy'], ['xay', 'xabay']],
  ['(?<major>\\d)\\.(?<minor>\\d)', ['1.2'], ['1x2']],
  ['(?:)', [''], ['a']],
  ['ab?c+', ['ac', 'abccc'], ['ab', 'abbc']],
  ['a{2}', ['aa'], ['a', 'aaa', '']],
  ['a{2,}', ['aa', 'aaaaa'], ['a', '']],
  ['a{1,3}', ['a', 'aa', 'aaa'], ['', 'aaaa']],
  ['a{0,1}b{0}', ['a', ''], ['aa', 'b', 'ab']],
  ['(ab){2,3}', ['abab', 'ababab'], ['ab', 'aba', 'abababab']],
  ['a*?b+?c??d{1,2}?', ['bd', 'aabbcdd'], ['d', 'bddd']],
  ['(a*)*b', ['b', 'aaab'], ['aaa']],
  ['.', ['a', '😀', '\t'], ['', 'ab', '\n', '\r', '\u0085', '\u2028', '\u2029']],
  ['^main$', ['main'], ['main\n', ' main', 'xmain']],
  ['\\Amain\\z|\\Adev\\Z', ['main', 'dev'], ['mai', 'maindev']],
  ['a^b|a$b', [], ['ab', 'a', 'b']],
  ['(^a|b)+', ['a', 'ab', 'bb'], ['ba', 'aa']],
  ['\\bfix\\b.*', ['fix', 'fix it'], ['fixed', 'fix_it']],
  ['a\\B.', ['ab'], ['a ', 'a-']],
  ['[abc]', ['a', 'c'], ['d', '', 'ab']],
  ['[a-cx-z]', ['b', 'y'], ['d', '-', 'w']],
  ['[b-b]', ['b'], ['a', 'c', '-']],
  ['[^a-c]', ['d', '\n', '-'], ['a', 'b', 'c', '']],
  ['[a^-]', ['a', '^', '-'], ['b']],
  ['[-a]', ['-', 'a'], ['b']],
  ['[]a]', [']', 'a'], ['b']],
  ['[.*+?(){}|$]', ['.', '*', '+', '?', '(', ')', '{', '}', '|', '$'], ['a', '\\']],
  ['[\\w.-]+', ['a_1.b-c'], ['a b', 'é']],
  ['[\\w-.]+', ['a-b.c'], ['a/b']],
  ['[\\d\\s]+', ['1 2\t3'], ['a']],
  ['[^\\d]', ['a'], ['1']],
  ['[\\D]', ['a'], ['1']],
  ['[\\x41-\\x43]', ['A', 'B', 'C'], ['D', '-', 'x']],
  ['[\\[-\\]]', ['[', '\\', ']'], ['a', '-']],
  ['[+--]', ['+', ',', '-'], ['.']],
  ['[😀-😂]', ['😁'], ['😃']],
  ['\\w\\W\\s\\S\\d\\D', ['a- x1y'], ['a- x1 2', '-- x1y', 'aa x1y', 'a-xx1y', 'a-  1y', 'a- xxy', 'a- x11']],
  ['\\s', [' ', '\t', '\v', '\f', '\n', '\r'], ['\u00a0', 's']],
  ['\\.\\*\\\\\\-\\/\\{', ['.*\\-/{'], ['a*\\-/{']],
  ['\\t\\n\\r\\f\\a\\e', ['\t\n\r\f\x07\x1b'], ['tnrfae']],
  ['\\x41\\u00e9', ['Aé'], ['Ae', 'x41u00e9']],
  ['a}]', ['a}]'], ['a']],
  ['a{998}', ['a'.repeat(998)], ['a'.repeat(997)]],
];

const refused = [
  ['(', 'a parenthesis ( is never closed'],
  ['(a|b', 'a parenthesis ( is never closed'],
  ['a)', 'a parenthesis ) closes nothing'],
  ['*a', 'the quantifier * repeats nothing'],
  ['a**', 'the quantifier * repeats nothing'],
  ['(+)', 'the quantifier + repeats nothing'],
  ['|?', 'the quantifier ? repeats nothing'],
  ['a{,3}', 'the quantifier { repeats nothing'],
  ['a{3,1}', 'the quantifier {3,1} runs backwards'],
  ['a*+', 'a possessive quantifier is not supported'],
  ['a{2}+', 'a possessive quantifier is not supported'],
  ['[a', 'a bracket [ is never closed'],
  ['[]', 'a bracket [ is never closed'],
  ['[a-', 'a bracket [ is never closed'],
  ['[z-a]', 'the range z-a runs backwards'],
  ['[a-\\d]', 'a range ends in a set'],
  ['[a&&b]', '[ or && inside brackets is not supported'],
  ['[a[b]]', '[ or && inside brackets is not supported'],
  ['a\\', 'a backslash at the end escapes nothing'],
  ['(a)\\1', '\\1 is not supported'],
  ['\\p{L}', '\\p is not supported'],
  ['\\Qa\\E', '\\Q is not supported'],
  ['\\x4', '\\x is not supported'],
  ['(?=a)', '(?= is not supported'],
  ['(?<!a)', '(?<! is not supported'],
  ['(?<=a)', '(?<= is not supported'],
  ['(?i)a', '(?i is not supported'],
  ['(?>a)', '(?> is not supported'],
  ['a{999}', 'its quantifiers repeat too much'],
  ['((a{99}){99}){99}', 'its quantifiers repeat too much'],
  ['((){999999999}){999999999}', 'its quantifiers repeat too much'],
  ['a'.repeat(1001), 'it has more than 1000 characters'],
] as const;

function judge(pattern: string, value: string): boolean | string {
  const regex = compileRegex(pattern);
  return regex.ok ? regex.matches(value) : regex.problem;
}

describe('CP 2.10: the pattern of MATCHES', () => {
  it.each(judged)('%s', (pattern, matching, others) => {
    const told = [...matching, ...others].filter((value) => judge(pattern, value) === true);
    expect(told).toEqual(matching);
    expect(others.map((value) => judge(pattern, value))).toEqual(others.map(() => false));
  });

  it.each(refused)('CP-C-8: %s is refused', (pattern, problem) => expect(judge(pattern, '')).toBe(problem));

  it.each([
    ['nested quantifiers', '(a+)+'],
    ['nested stars', '((a*)*)*'],
    ['an ambiguous choice', '(a|a|.)*'],
    ['the most parts', `(${'a*'.repeat(490)})*`],
  ])('%s hold nobody up', (_name, pattern) => {
    const before = process.cpuUsage();
    expect(judge(pattern, `${'a'.repeat(4095)}!`)).toBe(pattern.includes('.'));
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6, 'seconds of CPU').toBeLessThan(5);
  });

  it('deep nesting is no danger either', () => {
    expect(judge(`${'('.repeat(332)}a${')'.repeat(332)}`, 'a')).toBe(true);
    expect(judge('('.repeat(1000), '')).toBe('a parenthesis ( is never closed');
  });

  it('says what a backtracking engine says, for small patterns of the signs that both know', () => {
    const sign = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\b', '^', '$');
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        sign,
        fc.tuple(tie('tree'), tie('tree')).map(([left, right]) => left + right),
        fc.tuple(tie('tree'), tie('tree')).map(([left, right]) => `(${left}|${right})`),
        fc
          .tuple(tie('tree'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{2,}', '*?'))
          .map(([inner, quantifier]) => `(?:${inner})${quantifier}`),
      ),
    }));
    const value = fc.string({ unit: fc.constantFrom('a', 'b', '1', '-'), maxLength: 6 });
    const property = fc.property(tree, value, (pattern, text) => {
      expect(judge(pattern, text), pattern).toBe(new RegExp(`^(?:${pattern})$`, 'u').test(text));
    });
    fc.assert(property, { numRuns: 2000 });
  });
});
