import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTextCleaner, visibleText } from '../../src/web/visible-text.ts';

describe('what a program printed becomes text that hides nothing (SEC-D-04)', () => {
  test.each([
    ['colours', '\u001B[1;31mred\u001B[0m', 'red'],
    ['a link to elsewhere', '\u001B]8;;https://x\u0007click\u001B]8;;\u0007', 'click'],
    ['a window title, ended the other way', '\u001B]0;title\u001B\\text', 'text'],
    ['cursor movement', 'a\u001B[2Kb\u001B[10;20Hc', 'abc'],
    ['a progress bar', '10%\r20%\r\n', '10%\n20%\n'],
    ['a bell and a NUL', 'a\u0007b\u0000c', 'a␇b␀c'],
    ['reordering', 'if (\u202Eeslaf\u202C)', 'if (⟨U+202E⟩eslaf⟨U+202C⟩)'],
    ['zero width', 'ad\u200Bmin', 'ad⟨U+200B⟩min'],
    ['eight-bit controls', 'a\u009B31mb', 'a�31mb'],
    ['an escape that never ends', 'a\u001B[', 'a␛['],
    ['other alphabets, emoji and tabs', 'þökk\t👩‍🚀 好', 'þökk\t👩‍🚀 好'],
  ])('%s', (_what, printed, shown) => {
    expect(visibleText(printed)).toBe(shown);
  });

  test('bytes that are no UTF-8 are shown as such', () => {
    const cleaner = createTextCleaner();
    expect(cleaner.push(Buffer.from([0x61, 0xff, 0x62])) + cleaner.flush()).toBe('a�b');
  });

  test.each([['\r'], ['\u001B['], ['\u001B]'], ['\u001B'], ['\u001B[1']])(
    'a megabyte of %j is cleaned without pause',
    (text) => {
      const cleaner = createTextCleaner();
      const printed = Buffer.from(`${text.repeat(1024 * 1024)}x`);
      let shown = 0;
      for (let at = 0; at < printed.length; at += 65_536)
        shown += cleaner.push(printed.subarray(at, at + 65_536)).length;
      expect(shown + cleaner.flush().length).toBeGreaterThan(0);
    },
    3_000,
  );

  test('however the output is torn into chunks, the text is the same', () => {
    const pieces = fc.constantFrom(
      '\u001B[1;31m',
      '\u001B]8;;x\u0007',
      '\u001B]0;t\u001B\\',
      '\r\n',
      '\r',
      '\u001B',
      'þ',
      '👩‍🚀',
      'plain',
      '\n',
      '[',
      ']',
    );
    const property = fc.property(
      fc.array(pieces, { maxLength: 20 }),
      fc.array(fc.nat(60), { maxLength: 8 }),
      (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''));
        const cleaner = createTextCleaner();
        const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
        const shown = ends.map((end, index) => cleaner.push(bytes.subarray(index === 0 ? 0 : ends[index - 1], end)));
        expect(shown.join('') + cleaner.flush()).toBe(visibleText(parts.join('')));
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });
});
