import { callWorld } from './call-world.ts';
import { playCalls } from './play-calls.ts';

playCalls(await callWorld(), (_file, long) => long === undefined);
