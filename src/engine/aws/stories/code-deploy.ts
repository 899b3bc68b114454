import type { DeploymentTarget, LifecycleEvent } from '@aws-sdk/client-codedeploy';
import { orUnasked, type Asking, type Told } from './asking.ts';

/** CodeDeploy's limit for one BatchGetDeploymentTargets. */
const mostTargets = 25;

/** Why the deployment failed, and on the first failed target which lifecycle event, script and message. */
export async function tellDeployment(asking: Asking): Promise<Told> {
  const deploymentId = asking.externalId;
  const { ApplicationName: application = '*', DeploymentGroupName: group = '*' } = asking.configuration;
  if (deploymentId === undefined) return {};
  const { deploymentInfo: info } = await asking.call(
    'codeDeploy',
    'codedeploy:GetDeployment',
    `deploymentgroup:${application}/${group}`,
    (api) => api.getDeployment({ deploymentId }),
  );
  const { code, message } = info?.errorInformation ?? {};
  const whole = [code, message].filter(Boolean).join(': ');
  const targets = await orUnasked(failedTargets(asking, deploymentId));
  if ('unasked' in targets) return { ...(whole ? { said: whole } : {}), unasked: targets.unasked };
  const [first] = targets.answer;
  const detail = first ? targetText(first, targets.answer.length - 1) : '';
  const lines = first?.event?.diagnostics?.logTail?.trimEnd().split(/\r?\n/) ?? [];
  // The target first: the deployment as a whole mostly says that too many targets failed.
  return { said: [detail, whole].filter(Boolean).join('. '), ...(lines.length > 0 ? { lines } : {}) };
}

interface FailedTarget {
  readonly name: string;
  readonly event: LifecycleEvent | undefined;
}

async function failedTargets(asking: Asking, deploymentId: string): Promise<readonly FailedTarget[]> {
  // AWS knows no resource to narrow these two by.
  const { targetIds = [] } = await asking.call('codeDeploy', 'codedeploy:ListDeploymentTargets', '*', (api) =>
    api.listDeploymentTargets({ deploymentId, targetFilters: { TargetStatus: ['Failed'] } }),
  );
  if (targetIds.length === 0) return [];
  const input = { deploymentId, targetIds: targetIds.slice(0, mostTargets) };
  const { deploymentTargets = [] } = await asking.call(
    'codeDeploy',
    'codedeploy:BatchGetDeploymentTargets',
    '*',
    (api) => api.batchGetDeploymentTargets(input),
  );
  const read = deploymentTargets.map(readTarget);
  // An instance that was only skipped after another one failed has no failed event of its own.
  return read.toSorted((a, b) => (a.event ? 0 : 1) - (b.event ? 0 : 1));
}

function readTarget({ instanceTarget, lambdaTarget, ecsTarget, cloudFormationTarget }: DeploymentTarget): FailedTarget {
  const target = instanceTarget ?? lambdaTarget ?? ecsTarget ?? cloudFormationTarget;
  const event = target?.lifecycleEvents?.find(({ status }) => status === 'Failed');
  return { name: target?.targetId ?? 'a target', event };
}

function targetText({ name, event }: FailedTarget, others: number): string {
  const { errorCode, scriptName, message } = event?.diagnostics ?? {};
  const where = scriptName ? ` in ${scriptName}` : '';
  const why = [errorCode, message].filter(Boolean).join(': ');
  const more = others === 0 ? '' : ` (and ${others} more)`;
  return `${name}${more}: ${event?.lifecycleEventName ?? 'the deployment'} failed${where}${why ? `: ${why}` : ''}`;
}
