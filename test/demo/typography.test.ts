import { expect, test } from 'vitest';
import { cells, columns, cut, painter, timeline, wrap, wrapLine } from '../../src/demo/typography.ts';

test.each([
  ['plain words', 11],
  ['✅ done', 7],
  ['#\u20601', 2],
  ['✓ ‖ ●', 5],
  [painter(true)('good', 'ok'), 2],
])('%j takes %i cells of a terminal', (text, width) => {
  expect(cells(text)).toBe(width);
});

test('without colour nothing is added to a text', () => {
  expect(painter(false)('bad', 'no')).toBe('no');
  expect(painter(true)('bad', 'no')).toBe('\u001B[31mno\u001B[39m');
});

test('a text is broken between words, a word that is too long within itself', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('abcdefghij k', 4)).toEqual(['abcd', 'efgh', 'ij k']);
  expect(wrap('', 10)).toEqual(['']);
});

test('a line of a log keeps its indentation', () => {
  expect(wrapLine('  error: one two', 12)).toEqual(['  error: one', '  two']);
});

test('columns are as wide as their widest cell', () => {
  expect(
    columns([
      ['', 'Check'],
      ['✅', 'web'],
      ['x', 'web / Test'],
    ]),
  ).toEqual(['    Check', '✅  web', 'x   web / Test']);
});

test('what is too long is cut visibly', () => {
  expect(cut('abcdef', 4)).toBe('abc…');
  expect(cut('abcd', 4)).toBe('abcd');
});

test('spans stand on one axis, so that those that overlap do so on the page', () => {
  const at = (second: number) => new Date(Date.UTC(2026, 10, 23, 4, 0, second));
  const spans = [
    { label: 'unit', from: at(0), to: at(4) },
    { label: 'lint', from: at(1), to: at(3) },
    { label: 'late', from: at(4), to: at(4) },
  ];
  expect(timeline(spans, 41)).toEqual([
    'unit  ████████ 04:00:00.00 to 04:00:04.00',
    'lint    ████   04:00:01.00 to 04:00:03.00',
    'late         █ 04:00:04.00 to 04:00:04.00',
  ]);
});
