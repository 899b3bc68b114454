import assert from 'node:assert/strict';
import test from 'node:test';
import { postage } from '../postage.js';

test('a kilogram that is begun is paid', () => {
  assert.deepEqual([1, 1000, 1001, 2000].map(postage), [450, 450, 570, 570]);
});

test('a weight that no scale shows is refused', () => {
  for (const grams of [0, -1, 1.5, NaN]) assert.throws(() => postage(grams), RangeError);
});
