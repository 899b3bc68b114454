import { testDatabase } from '../database.ts';
import { engineContract } from '../engine/contract.ts';
import { doorDifferences } from './door-differences.ts';
import { doorWorld } from './door-world.ts';

const world = await doorWorld({
  behind: await testDatabase(),
  own: await testDatabase(),
  everyMs: 20_000,
  looks: 6,
});

engineContract(world, doorDifferences);
