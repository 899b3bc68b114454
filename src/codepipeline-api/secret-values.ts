import { findCustomActionType } from '../db/custom-action-types.ts';
import type { ActionDeclaration, PipelineDefinition } from '../pipeline/definition.ts';
import type { Door } from './door.ts';

/** Configuration values that are never read back: they show as `****`, and `****` written back keeps them (CP-D-2). */

export const mask = '****';

type Finder = Pick<Door, 'db'>;

export async function maskSecrets(door: Finder, definition: PipelineDefinition): Promise<PipelineDefinition> {
  return mapConfigurations(door, definition, () => mask);
}

/** `before` holds what the masks stand for, matched by stage and action name. */
export async function keepSecrets(
  door: Finder,
  definition: PipelineDefinition,
  before: PipelineDefinition,
): Promise<PipelineDefinition> {
  return mapConfigurations(door, definition, (value, key, stage, action) => {
    if (value !== mask) return value;
    const kept = before.stages.find((one) => one.name === stage)?.actions.find((one) => one.name === action);
    return kept?.configuration[key] ?? value;
  });
}

type Replace = (value: string, key: string, stage: string, action: string) => string;

async function mapConfigurations(
  door: Finder,
  definition: PipelineDefinition,
  replace: Replace,
): Promise<PipelineDefinition> {
  const stages = [];
  for (const stage of definition.stages) {
    const actions = [];
    for (const action of stage.actions) {
      const secret = await secretKeys(door, action);
      const configuration = Object.fromEntries(
        Object.entries(action.configuration).map(([key, value]) => [
          key,
          secret.has(key) ? replace(value, key, stage.name, action.name) : value,
        ]),
      );
      actions.push(secret.size > 0 ? { ...action, configuration } : action);
    }
    stages.push({ ...stage, actions });
  }
  return { ...definition, stages };
}

export async function secretKeys({ db }: Finder, { actionTypeId }: ActionDeclaration): Promise<ReadonlySet<string>> {
  if (actionTypeId.owner === 'ThirdParty') return new Set(['OAuthToken']);
  if (actionTypeId.owner !== 'Custom') return new Set();
  const type = await findCustomActionType(db, actionTypeId);
  const secret = type?.declaration.configurationProperties.filter((property) => property.secret) ?? [];
  return new Set(secret.map((property) => property.name));
}
