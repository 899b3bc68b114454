import { it } from 'vitest';
import { findsWhatIsPlain, neverObeysWhatIsHidden, neverThrows } from './parse-properties.ts';

const minutes = 60_000;

it('reading 100,000 comments never throws and invents no command', { timeout: 10 * minutes }, () => {
  neverThrows(100_000);
});

it('of 100,000 hidden texts nothing is obeyed', { timeout: 10 * minutes }, () => {
  neverObeysWhatIsHidden(100_000);
});

it('a command between polite sentences is found 10,000 times', { timeout: 10 * minutes }, () => {
  findsWhatIsPlain(10_000);
});
