import { expect, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { gateRace, rounds } from './gate-race.ts';

const race = await gateRace(await testDatabase());
const times = 200;

test.each(rounds)('200 times: %s', async (name, round) => {
  let released = 0;
  for (let time = 0; time < times; time += 1) if (await round(race, (time % 41) - 20)) released += 1;
  console.log(`${name}: released ${released} of ${times}`);
  // Otherwise it was no race.
  if (!name.startsWith('two approvers')) expect(released).toBeGreaterThan(0);
  if (!name.startsWith('two approvers')) expect(released).toBeLessThan(times);
});
