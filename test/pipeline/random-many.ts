import * as fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { moves } from './random-moves.ts';
import { randomPipelines } from './random-pipelines.ts';
import { claimRest, expectSame, play, replayFromRows } from './random-play.ts';

/**
 * Both halves are 100,000 plays of up to 50 moves. Each is checked after every input, that nobody is stuck among it, and
 * replayed. Every 16th writes its rows, every 4th is brought to its end: they cost as much as the play itself.
 * PENSTOCK_SEED repeats a run.
 */
const seed = Number(process.env['PENSTOCK_SEED'] ?? Math.trunc(Math.random() * 0x7fff_ffff));
const playsEach = 12_500;
const reached = new Map<string, number>();

/** CP 2.12, and what follows from it: an update cancels, a stop may settle at once, an override revives. */
const rows = [
  'execution: - -> InProgress',
  'execution: InProgress -> Succeeded',
  'execution: InProgress -> Failed',
  'execution: InProgress -> Superseded',
  'execution: InProgress -> Stopping',
  'execution: Stopping -> Stopped',
  'execution: InProgress -> Cancelled',
  'execution: Failed -> InProgress',
  'execution: Stopped -> InProgress',
  'stage: - -> InProgress',
  'stage: InProgress -> Skipped',
  'stage: InProgress -> Succeeded',
  'stage: InProgress -> Failed',
  'stage: InProgress -> Stopping',
  'stage: Stopping -> Stopped',
  'stage: InProgress -> Cancelled',
  'stage: Failed -> InProgress',
  'stage: Stopped -> InProgress',
  'action: - -> InProgress',
  'action: InProgress -> Succeeded',
  'action: InProgress -> Failed',
  'action: InProgress -> Abandoned',
];

/** Each half has every mode and every kind of condition, so that it reaches every row of the status machines by itself. */
export function describePlays(names: readonly string[]): void {
  const chosen = Object.entries(randomPipelines).filter(([name]) => names.includes(name));
  it.each(chosen)('%s', (name, spec) => {
    let inputs = 0;
    let plays = 0;
    fc.assert(
      fc.property(moves, (list) => {
        const played = play(spec, list);
        inputs += played.inputs.length;
        for (const row of played.reached) reached.set(row, (reached.get(row) ?? 0) + 1);
        expectSame(replayFromRows(played, plays % 16 === 0 ? 'written' : 'kept'), played.state);
        if (plays % 4 === 0) claimRest(played.state);
        plays += 1;
      }),
      { numRuns: playsEach, seed },
    );
    console.log(`random plays on '${name}': ${playsEach} plays, ${inputs} inputs, seed ${seed}`);
  });

  it('CP 2.12: every row of the status machines is reached', () => {
    expect(rows.filter((row) => !reached.has(row))).toEqual([]);
  });

  afterAll(() => {
    const table = [...reached].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([row, count]) => `  ${row}: ${count}`);
    console.log(`reached in plays:\n${table.join('\n')}`);
  });
}
