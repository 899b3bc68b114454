import { expect, test } from 'vitest';
import { createLines, longestLine } from '../../src/cli/lines.ts';

function told(chunks: readonly string[]): string[] {
  const lines: string[] = [];
  const reader = createLines((line) => void lines.push(line));
  for (const chunk of chunks) reader.add(chunk);
  reader.end();
  return lines;
}

test('lines come out whole, wherever the text is torn, and the last one too', () => {
  expect(told(['a\nb', 'c\n', '\nd'])).toEqual(['a', 'bc', '', 'd']);
});

test('a line without an end comes in pieces, in time and memory that do not grow with it', () => {
  const chunk = 'x'.repeat(64 * 1024);
  const before = process.cpuUsage();
  const lines = told(Array.from({ length: 1_024 }, () => chunk));
  expect(lines.join('')).toHaveLength(64 * 1024 ** 2);
  expect(Math.max(...lines.map((line) => line.length))).toBe(longestLine);
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_000);
});
