import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { moves } from './random-moves.ts';
import { randomPipelines } from './random-pipelines.ts';
import { claimRest, expectSame, play, replayFromRows } from './random-play.ts';

/** A small and always equal share of random.long.test.ts. A failure prints the seed and the shortest play that breaks a promise. */
describe('random plays keep what the core promises', () => {
  it.each(Object.entries(randomPipelines))('%s', (_name, spec) => {
    fc.assert(
      fc.property(moves, (list) => {
        const played = play(spec, list);
        expectSame(replayFromRows(played), played.state);
        claimRest(played.state);
      }),
      { numRuns: 60, seed: 4 },
    );
  });
});
