import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const document = readFileSync(join(root, 'docs/parity.md'), 'utf8');
const rows = document
  .slice(document.indexOf('## Every rule'))
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, rule]) => rule?.startsWith('CP-'))
  .map(([, rule = '', , penstock = '', tests = '']) => ({
    rule,
    penstock,
    tests: Array.from(tests.matchAll(/`([^`]+)`/g), (name) => name[1] ?? ''),
  }));

/** How many rules there are of each kind that is listed whole. */
const kinds: readonly [string, number][] = [
  ['D', 38],
  ['X', 72],
  ['C', 13],
  ['V', 10],
  ['A', 12],
  ['J', 20],
  ['E', 8],
  ['P', 7],
  ['W', 18],
];

describe('docs/parity.md', () => {
  it('leaves out no rule', () => {
    const all = kinds.flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `CP-${letter}-${index + 1}`),
    );
    const listed = rows.filter(({ rule }) => kinds.some(([letter]) => rule.startsWith(`CP-${letter}-`)));
    expect(listed.map((row) => row.rule)).toEqual(all);
  });

  it('lists each rule of those kinds that the code or a test cites', () => {
    const cited = ['src', 'test'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => /\.(?:ts|txt)$/.test(path) && !path.includes('snapshots'))
        .flatMap((path) => readFileSync(join(root, folder, path), 'utf8').match(/CP-[DXCVAJPW]-\d+/g) ?? []),
    );
    const listed = new Set(rows.map(({ rule }) => rule));
    expect([...new Set(cited)].filter((rule) => !listed.has(rule)).toSorted()).toEqual([]);
  });

  it('names only tests that cite the rule', () => {
    const wrong = rows.flatMap(({ rule, tests }) =>
      tests.filter((name) => {
        const path = join(root, 'test', name);
        return !existsSync(path) || !new RegExp(`${rule}(?!\\d)`).test(readFileSync(path, 'utf8'));
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('claims nothing to be the same without a test', () => {
    const claimed = rows.filter(({ tests, penstock }) => tests.length === 0 && penstock.startsWith('The same'));
    expect(claimed.map((row) => row.rule)).toEqual([]);
  });

  it('names for each scenario a file and words that stand in it', () => {
    const scenarios = document
      .slice(document.indexOf('### Scenarios'))
      .split('\n')
      .filter((line) => line.startsWith('| CP-S-'))
      .map((line) => line.split('|').map((cell) => cell.trim()));
    expect(scenarios.map(([, id]) => id)).toEqual(Array.from({ length: 38 }, (_, index) => `CP-S-${index + 1}`));
    const wrong = scenarios.flatMap(([, id = '', , shownBy = '']) => {
      const shown = Array.from(shownBy.matchAll(/`([^`]+)` “([^”]+)”/g), ([, file = '', words = '']) => ({
        file,
        words,
      }));
      const missing = shown.filter(({ file, words }) => {
        const path = join(root, 'test', file);
        return !existsSync(path) || !readFileSync(path, 'utf8').includes(words);
      });
      return !shown.some(({ file }) => file.startsWith('pipeline/scenarios/'))
        ? [`${id} names no scenario`]
        : missing.map(({ file, words }) => `${id}: ${file} “${words}”`);
    });
    expect(wrong).toEqual([]);
  });
});
