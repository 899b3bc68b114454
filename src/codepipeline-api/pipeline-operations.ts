import type {
  CreatePipelineInput,
  CreatePipelineOutput,
  DeletePipelineInput,
  GetPipelineInput,
  GetPipelineOutput,
  ListPipelinesInput,
  ListPipelinesOutput,
  UpdatePipelineInput,
  UpdatePipelineOutput,
} from '@aws-sdk/client-codepipeline';
import {
  apiPipelineVersion,
  countApiPipelines,
  deleteApiPipeline,
  ensureAdminScope,
  insertApiPipeline,
  listApiPipelines,
  lockApiPipeline,
  saveApiPipelineVersion,
  type ApiPipeline,
  type ServedPipeline,
} from '../db/api-pipelines.ts';
import { saveDefinition } from '../db/definitions.ts';
import { lockLane } from '../db/lanes.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { digestOf } from '../pipeline/digest.ts';
import { ApiError } from './api-error.ts';
import { pipelineArn } from './arns.ts';
import { declarationOf, definitionFrom } from './declaration.ts';
import { findDeclared, isDeclared, listDeclared, refuseDeclared } from './declared-pipeline.ts';
import type { Call, Operation } from './door.ts';
import { readToken, tokenMember } from './paging.ts';
import { keepSecrets, maskSecrets } from './secret-values.ts';
import { startPipeline } from './start-pipeline.ts';
import { actorOf, apiPipelineNamed, findPipeline, pipelineNotFound } from './stored-pipeline.ts';
import { tagList, withTags } from './tags.ts';

/** Stores the pipeline and starts it once (CP-X-4). */
export const createPipeline: Operation<CreatePipelineInput, CreatePipelineOutput> = async (call, input) => {
  const { door, caller } = call;
  const tags = withTags({}, input.tags ?? []);
  const definition = await definitionFrom(door, input.pipeline, 1);
  if (await findDeclared(call, definition.name)) throw nameInUse(call, definition.name);
  await ensureAdminScope(door.db);
  await checkRunnable(call, definition);
  await checkRoom(call);
  const digest = digestOf(definition);
  const created = await door.db.transaction().execute(async (trx) => {
    await saveDefinition(trx, digest, definition);
    const made = await insertApiPipeline(trx, { scope: caller.scope, name: definition.name, digest, tags });
    // Thrown in here, so that the declaration is not kept either.
    if (!made) throw nameInUse(call, definition.name);
    await lockLane(trx, made.lane, { repositoryId: made.scope, pipeline: made.name });
    return made;
  });
  await startPipeline(call, created, { intent: 'created', trigger: { type: 'CreatePipeline', detail: caller.arn } });
  return { pipeline: declarationOf(await maskSecrets(door, definition)), tags: tagList(tags) };
};

/** CodePipeline's limit of pipelines for one account and region (CP 1.5); here of one repository, or of admin keys. */
const mostPipelines = 1000;

async function checkRoom({ door, caller }: Call): Promise<void> {
  if ((await countApiPipelines(door.db, caller.scope)) < mostPipelines) return;
  const message = `There are ${mostPipelines} pipelines already. Delete one that nobody needs any more.`;
  throw new ApiError('LimitExceededException', message);
}

/** CP-P-6. */
async function checkRunnable({ door, caller }: Call, definition: PipelineDefinition): Promise<void> {
  const why = await door.engine.notRunnable(definition, caller.scope);
  if (why !== undefined) throw new ApiError('InvalidActionDeclarationException', why);
}

function nameInUse({ door }: Call, name: string): ApiError {
  const message = `A pipeline with the name '${name}' already exists in account '${door.account}'`;
  return new ApiError('PipelineNameInUseException', message);
}

export const getPipeline: Operation<GetPipelineInput, GetPipelineOutput> = async (call, { name, version }) => {
  const pipeline = await findPipeline(call, name);
  // The one operation with a text of its own for this (CP-X-65).
  if (!pipeline) {
    const message = `Account '${call.door.account}' does not have a pipeline with name '${name}'`;
    throw new ApiError('PipelineNotFoundException', message);
  }
  const definition = await versionOf(call, pipeline, version);
  if (!definition) {
    const message = `The pipeline '${name}' does not have a version ${version}.`;
    throw new ApiError('PipelineVersionNotFoundException', message);
  }
  return {
    pipeline: declarationOf(await maskSecrets(call.door, definition)),
    metadata: {
      pipelineArn: pipelineArn(call.door, name),
      created: pipeline.createdAt,
      updated: pipeline.updatedAt,
    },
  };
};

async function versionOf(call: Call, pipeline: ServedPipeline, version: number | undefined) {
  if (version === undefined || version === pipeline.version) return pipeline.definition;
  if (isDeclared(pipeline)) return null;
  const { id } = await apiPipelineNamed(call, pipeline.name);
  return apiPipelineVersion(call.door.db, id, version);
}

/** Replaces the whole declaration; nothing starts (CP-X-60), and what runs is cancelled as the engine says (CP-X-61). */
export const updatePipeline: Operation<UpdatePipelineInput, UpdatePipelineOutput> = async (call, input) => {
  const { door, caller } = call;
  const known = await apiPipelineNamed(call, input.pipeline.name);
  const declared = await definitionFrom(door, input.pipeline, known.version + 1);
  await checkRunnable(call, declared);
  const updated = await door.db.transaction().execute(async (trx) => {
    const before = await lockApiPipeline(trx, caller.scope, known.name);
    if (!before) return null;
    const kept = await keepSecrets({ db: trx }, declared, before.definition);
    const definition = { ...kept, version: before.version + 1 };
    const digest = digestOf(definition);
    await saveDefinition(trx, digest, definition);
    await saveApiPipelineVersion(trx, { id: before.id, version: definition.version, digest });
    return { ...before, definition };
  });
  if (!updated) throw pipelineNotFound(call, known.name);
  await tellEngine(call, updated);
  return { pipeline: declarationOf(await maskSecrets(door, updated.definition)) };
};

/** The lane learns of the newest declaration, also when two updates end in the other order. */
async function tellEngine(call: Call, updated: ApiPipeline): Promise<void> {
  const newest = await apiPipelineNamed(call, updated.name);
  await call.door.engine.updateDefinition({
    lane: newest.lane,
    repositoryId: newest.scope,
    pipeline: newest.name,
    definition: newest.definition,
    by: actorOf(call.caller),
  });
}

/** Its history is gone with it; running work is not undone (CP-X-64). */
export const deletePipeline: Operation<DeletePipelineInput, undefined> = async (call, { name }) => {
  const { door, caller } = call;
  const found = await findPipeline(call, name);
  if (found && isDeclared(found)) throw refuseDeclared(found);
  await deleteApiPipeline(door.db, caller.scope, name);
  return undefined;
};

export const listPipelines: Operation<ListPipelinesInput, ListPipelinesOutput> = async (call, input) => {
  const query = { operation: 'ListPipelines', about: null };
  const size = input.maxResults ?? 1000;
  const after = readToken(call, query, input.nextToken) ?? '';
  const made = await listApiPipelines(call.door.db, call.caller.scope, { after, limit: size + 1 });
  const found = merged(
    made,
    (await listDeclared(call)).filter(({ name }) => name > after),
  );
  const shown = found.slice(0, size);
  return {
    pipelines: shown.map(({ name, version, definition, createdAt, updatedAt }) => ({
      name,
      version,
      pipelineType: definition.pipelineType,
      executionMode: definition.executionMode,
      created: createdAt,
      updated: updatedAt,
    })),
    ...tokenMember(call, query, found.length > size ? shown.at(-1)?.name : undefined),
  };
};

/** By name; what was made through the API hides a namesake. */
function merged(made: readonly ServedPipeline[], declared: readonly ServedPipeline[]): readonly ServedPipeline[] {
  const names = new Set(made.map(({ name }) => name));
  return [...made, ...declared.filter(({ name }) => !names.has(name))].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
