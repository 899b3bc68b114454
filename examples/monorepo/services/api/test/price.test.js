import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discounted } from '../price.js';

test('a discount is taken off and rounded for the buyer', () => {
  assert.equal(discounted(1999, 0), 1999);
  assert.equal(discounted(1999, 10), 1799);
  assert.equal(discounted(1999, 100), 0);
});

test('what is no price or no discount is refused', () => {
  assert.throws(() => discounted(19.99, 10), RangeError);
  assert.throws(() => discounted(1999, 110), RangeError);
  assert.throws(() => discounted(1999, Number.NaN), RangeError);
});
