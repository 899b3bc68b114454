import { describe } from 'vitest';
import { describePlays } from './random-many.ts';

describe('random plays, many', () => {
  describePlays([
    'superseded with conditions',
    'queued with conditions',
    'parallel',
    'superseded with an exclusive stage',
  ]);
});
