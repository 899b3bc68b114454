import assert from 'node:assert/strict';
import test from 'node:test';
import { readSpan, writeSpan } from 'spans';

test('units add up', () => {
  assert.equal(readSpan('1d2h3m4s'), 93_784);
  assert.equal(readSpan('90m'), 5_400);
});

test('the shortest way to write a span uses the largest units', () => {
  assert.equal(writeSpan(5_400), '1h30m');
  assert.equal(writeSpan(0), '0s');
});

test('what was written reads back', () => {
  for (let seconds = 0; seconds < 200_000; seconds += 37) assert.equal(readSpan(writeSpan(seconds)), seconds);
});

test('anything else is refused', () => {
  for (const text of ['', '5', 'm5', '1m1h', '1h 30m']) assert.throws(() => readSpan(text), RangeError);
});
