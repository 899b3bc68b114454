import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPathResolver } from '../../src/buildspec/finding.ts';
import { findInLog, plain } from '../../src/buildspec/log-findings.ts';
import { rankTail } from '../../src/buildspec/rank-tail.ts';

/** What tools really print, `----`, and what is found in it. Where a tool ran, its source lay in /build/src. */
const folder = join(import.meta.dirname, 'outputs');
const files =
  'Makefile CMakeLists.txt run.sh main.go sum/sum_test.go Program.cs Tests.cs java/A.java src/a.c src/app.ts src/app.py src/boom.js src/lib.rs src/main/java/acme/Calc.java src/main/kotlin/Calc.kt src/test/java/acme/CalcTest.java Sources/Sum/Sum.swift spec/sum_spec.rb test/a.test.js test/v.test.ts test/sum.test.js test/sum_test.rb tests/SumTest.php tests/test_sum.py tests/test_sum2.py tests/home.spec.ts'.split(
    ' ',
  );
const resolve = createPathResolver(files, ['/build/src']);

describe('what compilers, linters and test runners print becomes places in files', () => {
  it.each(readdirSync(folder))('%s', (name) => {
    const [output = '', expected = ''] = readFileSync(join(folder, name), 'utf8').split(/^----\n/m);
    const found = findInLog(output.split('\n'), resolve).map(
      ({ path, line, column, level, message }) =>
        `${path}:${line}${column === undefined ? '' : `:${column}`} ${level}: ${message}\n`,
    );
    expect(found.join('')).toBe(expected);
  });
});

describe('the end of a log shows what went wrong, wherever in it that stands', () => {
  const downloads = Array.from({ length: 400 }, (_, index) => `Downloading package-${index} (12 kB)`);
  const passes = Array.from({ length: 400 }, (_, index) => `  ✔ case ${index} (0.1ms)`);

  it.each(readdirSync(folder))('%s', (name) => {
    const [output = '', expected = ''] = readFileSync(join(folder, name), 'utf8').split(/^----\n/m);
    const lines = [...downloads, ...output.trimEnd().split('\n'), ...passes, '[Container] AT Phase complete: BUILD'];
    const tail = rankTail(lines, 50).map(plain).join('\n');
    // The message itself, without what was put before or behind it.
    const words = expected
      .trimEnd()
      .split('\n')
      .map((line) => /(?:failure|warning): (?:\w+: )?([^,:]{6,40})/.exec(line)?.[1] ?? '');
    expect(words.filter((said) => !tail.includes(said))).toEqual([]);
  });
});
