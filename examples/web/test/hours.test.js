import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOpen, minutesOf, nextOpening, sentence, week } from '../site/hours.js';

// 2026-11-02 is a Monday.
const at = (clock, day = 2) => new Date(`2026-11-0${day}T${clock}:00Z`);

test('a day opens before it closes', () => {
  assert.equal(week.length, 7);
  for (const { day, opens, closes } of week) {
    assert.ok(minutesOf(opens) < minutesOf(closes), `${day} opens at ${opens} but closes at ${closes}`);
  }
});

test('a time of day that no clock shows is refused', () => {
  assert.equal(minutesOf('06:30'), 390);
  for (const wrong of ['24:00', '6:30', '12:60', 'noon', '']) assert.throws(() => minutesOf(wrong), RangeError);
});

test('the doors open at the minute and close at the minute', () => {
  assert.equal(isOpen(at('06:29')), false);
  assert.equal(isOpen(at('06:30')), true);
  assert.equal(isOpen(at('21:59')), true);
  assert.equal(isOpen(at('22:00')), false);
});

test('the sentence on the page says what a visitor needs', () => {
  assert.equal(sentence(at('12:00')), 'Open until 22:00');
  assert.equal(sentence(at('05:00')), 'Closed; opens at 06:30');
  assert.equal(sentence(at('23:00')), 'Closed; opens Tuesday 06:30');
  assert.equal(sentence(at('21:00', 6)), 'Closed; opens Saturday 09:00');
});

test('for every minute of a year, the next opening is the first open minute after it', () => {
  let expected = nextOpening(new Date(Date.UTC(2026, 11, 31, 23, 59))).getTime();
  for (let time = Date.UTC(2026, 11, 31, 23, 58); time >= Date.UTC(2026, 0, 1); time -= 60_000) {
    if (isOpen(new Date(time + 60_000)) && !isOpen(new Date(time))) expected = time + 60_000;
    if (nextOpening(new Date(time)).getTime() !== expected) assert.fail(`wrong after ${new Date(time).toISOString()}`);
  }
});
