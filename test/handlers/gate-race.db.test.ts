import { test } from 'vitest';
import { testDatabase } from '../database.ts';
import { gateRace, rounds } from './gate-race.ts';

const race = await gateRace(await testDatabase());

test.each(rounds)('%s', async (_name, round) => {
  for (const staggerMs of [-8, 0, 0, 2, 8]) await round(race, staggerMs);
});
