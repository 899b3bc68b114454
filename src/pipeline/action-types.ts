import type { ActionCategory, ActionDeclaration, ActionOwner, ActionTypeId } from './definition.ts';
import { buildTypes } from './action-types-build.ts';
import { deployTypes } from './action-types-deploy.ts';
import { sourceTypes } from './action-types-source.ts';

/** An action type that CodePipeline knows (CP section 5). Counts are [fewest, most]. */
export interface ActionType {
  readonly category: ActionCategory;
  readonly owner: ActionOwner;
  readonly provider: string;
  readonly inputs: readonly [number, number];
  readonly outputs: readonly [number, number];
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** More keys exist than are listed here, so unknown ones are not refused. */
  readonly open?: boolean;
  readonly v2Only?: boolean;
  /**
   * `native`: the embedded engine runs it itself. `granted`: it does where the operator allows it. `delegated`: only the
   * AWS engine does (CP-P-6).
   */
  readonly tier: 'native' | 'granted' | 'delegated';
  /** When the action fails by itself (CP 1.6). */
  readonly timeoutMinutes: number;
}

export const actionTypes: readonly ActionType[] = [...sourceTypes, ...buildTypes, ...deployTypes];

const oneHour = 60;
const oneDay = 24 * 60;

/** What Penstock knows of a custom type without its registration: counts and configuration are open (CP 4.1). */
function customType(id: ActionTypeId): ActionType {
  return {
    category: id.category,
    owner: 'Custom',
    provider: id.provider,
    inputs: [0, 5],
    outputs: [0, 5],
    required: id.provider === 'Jenkins' ? ['ProjectName'] : [],
    optional: [],
    open: true,
    tier: 'native',
    timeoutMinutes: oneDay,
  };
}

export function actionTypeOf(id: ActionTypeId): ActionType | undefined {
  if (id.owner === 'Custom') return id.category === 'Approval' ? undefined : customType(id);
  return actionTypes.find(
    (type) =>
      type.category === id.category &&
      type.owner === id.owner &&
      type.provider === id.provider &&
      (id.version === '1' || id.owner !== 'AWS'),
  );
}

/** From the start of the action; only approvals may declare their own. */
export function timeoutMinutes(action: ActionDeclaration): number {
  const type = actionTypeOf(action.actionTypeId);
  const isApproval = action.actionTypeId.category === 'Approval';
  return (isApproval ? action.timeoutInMinutes : undefined) ?? type?.timeoutMinutes ?? oneHour;
}

/** CP-C-13. */
export function ruleTimeoutMinutes(provider: string): number {
  if (provider === 'Commands') return 55;
  return provider === 'DeploymentWindow' ? 7 * oneDay : oneHour;
}

/** In the words of CodePipeline (CP-D-12). `home` is the region of the pipeline, where it is known. */
export function unavailable({ name, actionTypeId, region }: ActionDeclaration, home = 'us-east-1'): string {
  const place = (region ?? home).toUpperCase().replaceAll('-', '_');
  return `${actionTypeName(actionTypeId)} in action '${name}' is not available in region '${place}'`;
}

/** CP-D-10; "more than the maximum" is our guess at its twin. */
export function wrongCount(
  action: string,
  side: 'input' | 'output',
  count: number,
  [than, bound, limit]: readonly ['less', 'minimum', number] | readonly ['more', 'maximum', number],
): string {
  return `Action ${action} declares ${count} ${side} artifacts which is ${than} than the ${bound} count (${limit})`;
}

/** CP-D-11. */
export function missingConfiguration(action: string, key: string): string {
  return `Action configuration for action '${action}' is missing required configuration '${key}'`;
}

/** CP-D-11. */
export function unknownConfiguration(action: string, key: string): string {
  return `Action configuration for action '${action}' contains unknown configuration '${key}'`;
}

/** As CodePipeline names a type in its messages. */
export function actionTypeName({ category, provider, owner, version }: ActionTypeId): string {
  return `ActionType (Category: '${category}', Provider: '${provider}', Owner: '${owner}', Version: '${version}')`;
}
