import type { ServedPipeline } from '../db/api-pipelines.ts';
import { findDeclaredLane, listDeclaredLanes, type DeclaredLane } from '../db/declared-pipelines.ts';
import { laneKey, wireName } from '../pipeline/execution.ts';
import { ApiError } from './api-error.ts';
import type { Call } from './door.ts';

/**
 * Pipelines that a repository declares, as its keys see them: `web` is the lane of pushes, where everything is as in AWS,
 * and `web@pr-7` that of pull request 7. They are there once something of them ran, and only their repository changes them.
 */
export interface DeclaredPipeline extends ServedPipeline {
  readonly declared: { readonly pipeline: string; readonly pullRequest: number | null };
}

/** Days for which ListPipelines names a pull request in which nothing happens any more. */
const listedDays = 14;

export async function findDeclared(call: Call, name: string): Promise<DeclaredPipeline | null> {
  const { scope } = call.caller;
  if (!(await isServed(call))) return null;
  const [, base = name, number] = /^(.+)@pr-(\d{1,9})$/.exec(name) ?? [];
  const pullRequest = number === undefined ? null : Number(number);
  const lane = laneKey(scope, base, pullRequest ?? undefined);
  const wanted = { repositoryId: scope, pipeline: base, lane, anyLane: pullRequest === null };
  const found = await findDeclaredLane(call.door.db, wanted);
  return found && served(scope, { ...found, pipeline: base, pullRequest, lane });
}

export async function listDeclared(call: Call): Promise<readonly DeclaredPipeline[]> {
  const { scope } = call.caller;
  if (!(await isServed(call))) return [];
  const lanes = await listDeclaredLanes(call.door.db, scope, listedDays);
  const pushed = new Set(lanes.filter((one) => one.pullRequest === null).map((one) => one.pipeline));
  const unpushed = new Map(lanes.filter((one) => !pushed.has(one.pipeline)).map((one) => [one.pipeline, one]));
  const bases = [...unpushed.values()].map((one) => ({
    ...one,
    pullRequest: null,
    lane: laneKey(scope, one.pipeline),
  }));
  return [...lanes, ...bases].map((one) => served(scope, one));
}

async function isServed({ door, caller }: Call): Promise<boolean> {
  return (await door.repositories?.serves(caller.scope)) === true;
}

function served(scope: number, lane: DeclaredLane): DeclaredPipeline {
  const { pipeline, pullRequest, ...rest } = lane;
  const name = wireName(lane.lane, pipeline);
  const definition = { ...lane.definition, name };
  return { ...rest, scope, name, definition, version: definition.version, declared: { pipeline, pullRequest } };
}

export function isDeclared(pipeline: ServedPipeline): pipeline is DeclaredPipeline {
  return 'declared' in pipeline;
}

/** For what only pipelines made through this API have. */
export function refuseDeclared({ name, declared }: DeclaredPipeline): ApiError {
  const message = `The pipeline '${name}' is declared in its repository. Change ${declared.pipeline} in .github/penstock.yml there.`;
  return new ApiError('ValidationException', message);
}
