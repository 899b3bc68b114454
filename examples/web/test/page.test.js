import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { week } from '../site/hours.js';

const page = readFileSync(new URL('../site/index.html', import.meta.url), 'utf8');

test('the table on the page shows the same hours as the code', () => {
  const rows = [...page.matchAll(/<th>(\w+)<\/th>\s*<td>([\d:]+)<\/td>\s*<td>([\d:]+)<\/td>/g)];
  const onPage = rows.map(([, day, opens, closes]) => `${day} ${opens} to ${closes}`);
  const inCode = week.map(({ day, opens, closes }) => `${day} ${opens} to ${closes}`);
  assert.equal(onPage.length, inCode.length);
  for (const [index, line] of inCode.entries()) {
    assert.ok(onPage[index] === line, `site/index.html says "${onPage[index]}", site/hours.js says "${line}"`);
  }
});

test('the page can be read without a script', () => {
  assert.match(page, /<p id="now" role="status">[^<]+<\/p>/);
});
