import { isDeepStrictEqual } from 'node:util';
import type { Kysely } from 'kysely';
import {
  findCustomActionType,
  listCustomActionTypes,
  markCustomActionTypeDeleted,
  saveCustomActionType,
  type CustomActionType,
  type CustomTypeKey,
} from '../../db/custom-action-types.ts';
import type { Database } from '../../db/database.ts';
import { actionTypes, type ActionType } from '../../pipeline/action-types.ts';
import type { ActionOwner, ActionTypeId } from '../../pipeline/definition.ts';
import { answered, refused, type Answered } from './answered.ts';
import { customTypeProblem } from './custom-type-checks.ts';

/** CodePipeline's limit of custom types for one account. */
const mostTypes = 50;

/** Registers a type; a deleted version comes back only with the identical definition (CP-J-4). */
export function createCustomActionType(
  db: Kysely<Database>,
  type: CustomActionType,
): Promise<Answered<CustomActionType>> {
  return db.transaction().execute(async (trx) => {
    const problem = customTypeProblem(type);
    if (problem !== undefined) return refused('ValidationException', problem);
    const known = await findCustomActionType(trx, type);
    if (known && !known.deleted) return refused('ValidationException', `${nameOf(type)} exists already.`);
    if (known && !isSame(known.declaration, type)) {
      const message = `${nameOf(type)} was deleted, and its version can be used again only with the same definition. Choose another version.`;
      return refused('ValidationException', message);
    }
    if ((await listCustomActionTypes(trx)).length >= mostTypes) {
      return refused('LimitExceededException', `There are ${mostTypes} custom action types already.`);
    }
    const isSaved = await saveCustomActionType(trx, type);
    return isSaved ? answered(type) : refused('ConcurrentModificationException', `${nameOf(type)} was just created.`);
  });
}

/** Unknown ones are no error: nothing is left to delete. */
export async function deleteCustomActionType(db: Kysely<Database>, key: CustomTypeKey): Promise<Answered<null>> {
  await markCustomActionTypeDeleted(db, key);
  return answered(null);
}

/** A type as ListActionTypes tells it. */
export interface ListedActionType {
  readonly id: ActionTypeId;
  readonly settings?: CustomActionType['settings'];
  readonly configurationProperties: CustomActionType['configurationProperties'];
  readonly inputArtifactDetails: CustomActionType['inputArtifactDetails'];
  readonly outputArtifactDetails: CustomActionType['outputArtifactDetails'];
}

export async function listActionTypes(
  db: Kysely<Database>,
  filter: { readonly owner?: ActionOwner } = {},
): Promise<readonly ListedActionType[]> {
  const custom = await listCustomActionTypes(db);
  const all = [...actionTypes.map(fromKnown), ...custom.map(fromCustom)];
  return filter.owner === undefined ? all : all.filter((type) => type.id.owner === filter.owner);
}

function fromKnown(type: ActionType): ListedActionType {
  const property = (required: boolean) => (name: string) => ({ name, required, key: required, secret: false });
  return {
    id: { category: type.category, owner: type.owner, provider: type.provider, version: '1' },
    configurationProperties: [...type.required.map(property(true)), ...type.optional.map(property(false))],
    inputArtifactDetails: { minimumCount: type.inputs[0], maximumCount: type.inputs[1] },
    outputArtifactDetails: { minimumCount: type.outputs[0], maximumCount: type.outputs[1] },
  };
}

function fromCustom({ category, provider, version, ...rest }: CustomActionType): ListedActionType {
  return {
    id: { category, owner: 'Custom', provider, version },
    ...(rest.settings ? { settings: rest.settings } : {}),
    configurationProperties: rest.configurationProperties,
    inputArtifactDetails: rest.inputArtifactDetails,
    outputArtifactDetails: rest.outputArtifactDetails,
  };
}

/** Tags are no part of the definition. */
function isSame(stored: CustomActionType, given: CustomActionType): boolean {
  const plain = (type: CustomActionType): unknown => JSON.parse(JSON.stringify({ ...type, tags: undefined }));
  return isDeepStrictEqual(plain(stored), plain(given));
}

function nameOf({ category, provider, version }: CustomTypeKey): string {
  return `ActionType (Category: '${category}', Provider: '${provider}', Owner: 'Custom', Version: '${version}')`;
}
