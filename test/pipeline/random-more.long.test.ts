import { describe } from 'vitest';
import { describePlays } from './random-many.ts';

describe('random plays, many', () => {
  describePlays(['superseded', 'queued', 'parallel with conditions', 'queued with exclusive stages']);
});
