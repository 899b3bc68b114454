import { describe, expect, it } from 'vitest';
import { createPathResolver } from '../../src/buildspec/finding.ts';
import { findInLog } from '../../src/buildspec/log-findings.ts';
import { rankTail } from '../../src/buildspec/rank-tail.ts';

const root = '/home/penstock/work/1/src/0';
const resolve = createPathResolver(
  [
    'src/a.c',
    'src/app.ts',
    'src/main.rs',
    'pkg/sum/sum_test.go',
    'tests/test_sum.py',
    'src/main/java/A.java',
    'test/a.test.js',
    'web/index.php',
    'one/same.js',
    'two/same.js',
    'Program.cs',
  ],
  [root],
);

function short(text: string): readonly string[] {
  return findInLog(text.split('\n'), resolve).map(
    ({ path, line, column, level, message }) =>
      `${path}:${line}${column === undefined ? '' : `:${column}`} ${level} ${message}`,
  );
}

describe('messages with a place become findings', () => {
  it.each<readonly [string, string, readonly string[]]>([
    [
      'gcc',
      "src/a.c:3:5: error: expected ';' before 'return'\nsrc/a.c:9:1: warning: unused",
      ["src/a.c:3:5 failure expected ';' before 'return'", 'src/a.c:9:1 warning unused'],
    ],
    [
      'gcc, absolute and coloured',
      `\u001b[1m${root}/src/a.c:3:5:\u001b[0m \u001b[31mfatal error:\u001b[0m x.h: No such file`,
      ['src/a.c:3:5 failure x.h: No such file'],
    ],
    ['TypeScript', "src/app.ts(3,7): error TS2322: Type 'x'", ["src/app.ts:3:7 failure TS2322: Type 'x'"]],
    ['TypeScript, pretty', "src/app.ts:3:7 - error TS2322: Type 'x'", ["src/app.ts:3:7 failure TS2322: Type 'x'"]],
    [
      'C#',
      'Program.cs(5,9): error CS1002: ; expected [/x/x.csproj]',
      ['Program.cs:5:9 failure CS1002: ; expected [/x/x.csproj]'],
    ],
    [
      'eslint, stylish',
      `${root}/src/app.ts\n  12:5  error  'x' is not defined  no-undef\n\n  1:1  error  stray`,
      ["src/app.ts:12:5 failure 'x' is not defined  no-undef"],
    ],
    [
      'rustc',
      'error[E0308]: mismatched types\n --> src/main.rs:4:9\n  |',
      ['src/main.rs:4:9 failure mismatched types'],
    ],
    [
      'Maven',
      `[ERROR] ${root}/src/main/java/A.java:[4,9] cannot find symbol`,
      ['src/main/java/A.java:4:9 failure cannot find symbol'],
    ],
    [
      'javac',
      'src/main/java/A.java:4: error: cannot find symbol',
      ['src/main/java/A.java:4 failure cannot find symbol'],
    ],
    [
      'go test, by the end of the path',
      '    sum_test.go:7: got 3, want 4',
      ['pkg/sum/sum_test.go:7 failure got 3, want 4'],
    ],
    ['pytest', 'tests/test_sum.py:8: AssertionError', ['tests/test_sum.py:8 failure AssertionError']],
    [
      'a Python traceback',
      `  File "${root}/tests/test_sum.py", line 8, in test_sum\n    assert 1 == 2\nAssertionError: 1 != 2`,
      ['tests/test_sum.py:8 failure AssertionError: 1 != 2'],
    ],
    [
      'a Node stack',
      `AssertionError [ERR_ASSERTION]: 3 !== 4\n    at TestContext.<anonymous> (file://${root}/test/a.test.js:5:10)\n    at node:internal/x:1:1`,
      ['test/a.test.js:5:10 failure AssertionError [ERR_ASSERTION]: 3 !== 4'],
    ],
    [
      'vitest',
      'AssertionError: expected 3 to be 4\n ❯ test/a.test.js:5:10',
      ['test/a.test.js:5:10 failure AssertionError: expected 3 to be 4'],
    ],
    [
      'PHP',
      `PHP Parse error:  syntax error in ${root}/web/index.php on line 3`,
      ['web/index.php:3 failure PHP Parse error:  syntax error'],
    ],
    [
      'a workflow command',
      '::error file=src/app.ts,line=10,col=2::Missing semicolon',
      ['src/app.ts:10:2 failure Missing semicolon'],
    ],
    [
      'nothing of this repository',
      '/usr/include/x.h:3:5: error: no\nnode:internal/a.js:1:2\n12:30:45: error: no\nhttp://x.example:80:1: error: no',
      [],
    ],
    ['a name that two files have', 'same.js:3:1: error: which one', []],
    ['a path out of the source', '../src/a.c:1:1: error: x', []],
  ])('%s', (_name, text, expected) => {
    expect(short(text)).toEqual(expected);
  });

  it('are told once for each line, the worst first seen, and at most fifty', () => {
    expect(short('src/a.c:3:5: warning: w\nsrc/a.c:3:5: error: e\nsrc/a.c:3:5: error: e')).toEqual([
      'src/a.c:3:5 failure e',
    ]);
    expect(short(Array.from({ length: 200 }, (_, line) => `src/a.c:${line + 1}: error: x`).join('\n'))).toHaveLength(
      50,
    );
  });

  it.each([
    'at '.repeat(300),
    `${'('.repeat(900)}:1:1`,
    `::error ${'file=a,'.repeat(120)}`,
    `${'a.'.repeat(450)}:1`,
    'Error'.repeat(180),
    ' in '.repeat(240),
  ])('a hostile line costs nothing: %#', (line) => {
    const before = process.cpuUsage();
    findInLog(Array<string>(1_000).fill(line), resolve);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2_000);
  });
});

describe('the lines that matter', () => {
  const noise = Array.from({ length: 500 }, (_, index) => `ok ${index + 1} - case ${index}`);

  it('are found in the middle of a long log, with what stands around them, and the end stays', () => {
    const lines = [
      ...noise.slice(0, 250),
      'not ok 251 - adds',
      '  expected: 4',
      '  actual: 3',
      ...noise.slice(251),
      '# fail 1',
      '[Container] AT Command did not exit successfully npm test exit status 1',
    ];
    const tail = rankTail(lines, 20);
    expect(tail.length).toBeLessThanOrEqual(20);
    expect(tail).toContain('not ok 251 - adds');
    expect(tail).toContain('  expected: 4');
    expect(tail).toContain('  actual: 3');
    expect(tail.at(-1)).toBe('[Container] AT Command did not exit successfully npm test exit status 1');
    expect(tail[0]).toBe('…');
  });

  it('are the whole log when it is short, and its end when nothing looks like an error', () => {
    expect(rankTail(['a', 'b'], 5)).toEqual(['a', 'b']);
    expect(
      rankTail(
        Array.from({ length: 100 }, (_, index) => `line ${index}`),
        5,
      ),
    ).toEqual(['…', 'line 96', 'line 97', 'line 98', 'line 99']);
  });

  it('are the strongest ones where there are too many, and the end stays all the same', () => {
    const weak = Array.from({ length: 300 }, (_, index) => `package-${index} not found in the cache`);
    const lines = ['error: the cause', ...weak, ...Array.from({ length: 5 }, (_, index) => `end ${index}`)];
    const tail = rankTail(lines, 20);
    expect(tail[0]).toBe('error: the cause');
    expect(tail.slice(-5)).toEqual(['end 0', 'end 1', 'end 2', 'end 3', 'end 4']);
  });

  it('keep their order and never exceed what was asked for', () => {
    const lines = Array.from({ length: 300 }, (_, index) => (index % 7 === 0 ? `error ${index}` : `line ${index}`));
    for (const most of [4, 10, 33, 120]) {
      const tail = rankTail(lines, most);
      expect(tail.length).toBeLessThanOrEqual(most);
      const numbers = tail.filter((line) => line !== '…').map((line) => Number(line.split(' ')[1]));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
  });
});
