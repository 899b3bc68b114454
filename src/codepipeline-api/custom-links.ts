import type { ActionState } from '@aws-sdk/client-codepipeline';
import { findCustomActionType, type CustomActionType } from '../db/custom-action-types.ts';
import { fillTemplate } from '../engine/embedded/custom-type-checks.ts';
import { actionTypeName } from '../pipeline/action-types.ts';
import type { ActionDeclaration, PipelineDefinition } from '../pipeline/definition.ts';
import type { ActionRun } from '../pipeline/execution.ts';
import type { Door } from './door.ts';

/** Registrations of the custom types that a pipeline uses, by the name of the type. */
export type CustomTypes = ReadonlyMap<string, CustomActionType>;

export async function customTypesIn(
  { db }: Pick<Door, 'db'>,
  { stages }: Pick<PipelineDefinition, 'stages'>,
): Promise<CustomTypes> {
  const used = stages.flatMap(({ actions }) => actions).filter(({ actionTypeId }) => actionTypeId.owner === 'Custom');
  const ids = new Map(used.map(({ actionTypeId }) => [actionTypeName(actionTypeId), actionTypeId]));
  const found = await Promise.all(
    Array.from(ids, async ([name, id]) => [name, await findCustomActionType(db, id)] as const),
  );
  return new Map(found.flatMap(([name, type]) => (type ? [[name, type.declaration] as const] : [])));
}

/** As the templates of the action's type say, once all that stands in them is known (CP-J-3). */
export function customLinks(
  types: CustomTypes,
  { actionTypeId, configuration }: ActionDeclaration,
  run: ActionRun | undefined,
): Pick<ActionState, 'entityUrl' | 'revisionUrl'> {
  const settings = types.get(actionTypeName(actionTypeId))?.settings;
  const fill = (template: string | undefined) => fillTemplate(template, configuration, run?.externalExecutionId);
  const [entityUrl, revisionUrl] = [fill(settings?.entityUrlTemplate), fill(settings?.revisionUrlTemplate)];
  return { ...(entityUrl !== undefined && { entityUrl }), ...(revisionUrl !== undefined && { revisionUrl }) };
}
