import { testDatabase } from '../database.ts';
import { engineContract } from '../engine/contract.ts';
import { doorDifferences } from './door-differences.ts';
import { doorWorld } from './door-world.ts';
import { lagProxy } from './lag-proxy.ts';

const seed = Number(process.env['PENSTOCK_SEED'] ?? 20_260_501);

const world = await doorWorld({
  behind: await testDatabase(),
  own: await testDatabase(),
  between: (door, now) => lagProxy(door, now, seed),
  // Several looks while reads lag, and some after the time in which an absence means nothing.
  everyMs: 4_000,
  looks: 24,
});

engineContract(world, doorDifferences);
