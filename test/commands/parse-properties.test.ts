import { it } from 'vitest';
import { findsWhatIsPlain, neverObeysWhatIsHidden, neverThrows } from './parse-properties.ts';

it('whatever a comment holds, reading it never throws and invents no command (SEC-B-22, B-23)', () => {
  neverThrows(2000);
});

it('nothing quoted, fenced or hidden is obeyed, whatever stands in it (SEC-B-22)', () => {
  neverObeysWhatIsHidden(2000);
});

it('a command between polite sentences is found', () => {
  findsWhatIsPlain(200);
});
