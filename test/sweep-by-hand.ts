import { sweepGates, sweepRepositories } from '../src/handlers/sweep.ts';
import type { World } from './world.ts';

/** One round of the sweep, which a world does not do by itself, and what follows from it. */
export async function sweepByHand({ server, settled }: Pick<World, 'server' | 'settled'>): Promise<void> {
  await sweepRepositories(server.deps);
  await sweepGates(server.deps);
  await settled();
}
