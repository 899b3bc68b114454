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

/** As CodePipeline names a type in its messages (CP-D-12). */
export function actionTypeName({ category, provider, owner, version }: ActionTypeId): string {
  return `ActionType (Category: '${category}', Provider: '${provider}', Owner: '${owner}', Version: '${version}')`;
}
