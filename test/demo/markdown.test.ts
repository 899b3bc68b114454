import { expect, test } from 'vitest';
import { plainText, renderMarkdown } from '../../src/demo/markdown.ts';
import { painter } from '../../src/demo/typography.ts';

const show = (text: string) => renderMarkdown(text, 60, painter(false));

test('a summary is shown in about the shape that GitHub gives it', () => {
  const summary = [
    '**Succeeded in 5s** at `70da8c7`. [Details](<http://127.0.0.1:1/x?a=b>).',
    '',
    '| Stage | Actions |',
    '| --- | --- |',
    '| `Test` | ✅ `unit` ✅ `lint` |',
    '',
    '#### What next',
    '',
    '```',
    '/approve web/Release',
    '```',
    '',
    '<sub>Execution `d06c`</sub>',
    '',
    '<!-- hidden -->',
  ].join('\n');
  expect(show(summary)).toEqual([
    'Succeeded in 5s at 70da8c7. Details.',
    '',
    'Stage  Actions',
    'Test   ✅ unit ✅ lint',
    '',
    'What next',
    '',
    '    /approve web/Release',
    '',
    'Execution d06c',
  ]);
});

test('a shorter fence inside a longer one is text', () => {
  expect(show('````\n```\ninside\n````\nafter')).toEqual(['    ```', '    inside', 'after']);
});

test('what was escaped is shown as it was meant', () => {
  expect(plainText('excluded by &#96;docs/&#42;&#42;&#96;, pull request #\u20601')).toBe(
    'excluded by `docs/**`, pull request #1',
  );
});
