import {
  actionTypeName,
  actionTypeOf,
  actionTypes,
  missingConfiguration,
  unavailable,
  unknownConfiguration,
  wrongCount,
  type ActionType,
} from './action-types.ts';
import type { ActionTypeId, PipelineDefinition } from './definition.ts';
import { closest } from './closest.ts';
import { actionError, warning, type Finding } from './finding.ts';
import { cloneFindings, providerFindings } from './provider-checks.ts';
import { refusedAtStart, toRunHere, toRunOnAws } from './runnable.ts';
import { eachAction, isBoundToHome, ownRegion, type Placed } from './structure-checks.ts';

/** Rules about single actions (CP 1.4: D-9 to D-12, D-19, D-21). `region` is the pipeline's own, where it is known. */
export function actionFindings({ stages }: PipelineDefinition, region: string | undefined): Finding[] {
  const home = ownRegion(stages);
  return eachAction(stages).flatMap((placed) => {
    const type = actionTypeOf(placed.action.actionTypeId);
    if (!type) return [unknownType(placed, region)];
    return [
      ...countFindings(placed, type),
      ...configurationFindings(placed, type),
      ...fieldFindings(placed, home),
      ...notificationFindings(placed, home),
      ...providerFindings(placed),
      ...cloneFindings(placed, stages),
      ...tierFindings(placed, type),
    ];
  });
}

function unknownType({ action, path }: Placed, region: string | undefined): Finding {
  const message = unavailable(action, region);
  return actionError([...path, 'actionTypeId'], 'D-12', message, nearestType(action.actionTypeId));
}

function nearestType({ category, owner, provider, version }: ActionTypeId): string {
  const known = actionTypes.filter((type) => type.category === category && type.owner === owner);
  if (known.some((type) => type.provider === provider)) return `Write version: "1" instead of "${version}".`;
  const elsewhere = actionTypes.filter((type) => type.provider === provider);
  if (elsewhere.length > 0) {
    const places = elsewhere.map((type) => `category ${type.category} with owner ${type.owner}`);
    return `${provider} stands under ${places.join(' or ')}.`;
  }
  const near = closest(
    provider,
    known.map((type) => type.provider),
  );
  return near === undefined ? 'Check category, owner, provider and version ("1").' : `Did you mean ${near}?`;
}

function countFindings({ action, path }: Placed, type: ActionType): Finding[] {
  return (['input', 'output'] as const).flatMap((side) => {
    const key = side === 'input' ? 'inputArtifacts' : 'outputArtifacts';
    const [fewest, most] = side === 'input' ? type.inputs : type.outputs;
    const count = action[key].length;
    const mend = fewest === most ? `Name ${fewest} in ${key}.` : `Name ${fewest} to ${most} in ${key}.`;
    const at = [...path, key];
    const refuse = (bound: Parameters<typeof wrongCount>[3]) =>
      actionError(at, 'D-10', wrongCount(action.name, side, count, bound), mend);
    if (count < fewest) return [refuse(['less', 'minimum', fewest])];
    return count > most ? [refuse(['more', 'maximum', most])] : [];
  });
}

/** Longer values pass the transport but not the action types of the service (CP-D-9). */
const longestValue = 1000;

function configurationFindings({ action, path }: Placed, type: ActionType): Finding[] {
  const at = [...path, 'configuration'];
  const known = [...type.required, ...type.optional];
  const missing = type.required.filter((key) => !Object.hasOwn(action.configuration, key));
  const unknown = type.open ? [] : Object.keys(action.configuration).filter((key) => !known.includes(key));
  const long = Object.entries(action.configuration).filter(([, value]) => value.length > longestValue);
  return [
    ...missing.map((key) => actionError(at, 'D-11', missingConfiguration(action.name, key), `Add ${key}.`)),
    ...unknown.map((key) => {
      const near = closest(key, known);
      const message = unknownConfiguration(action.name, key);
      const mend = near === undefined ? `Leave it out; known: ${known.join(', ')}.` : `Did you mean ${near}?`;
      // Of what only AWS runs, AWS may know more than this table.
      return (type.tier === 'delegated' ? warning : actionError)([...at, key], 'D-11', message, mend);
    }),
    ...long.map(([key, value]) => {
      const message = `${key} has ${value.length} characters; action types of the service take at most ${longestValue}`;
      return warning([...at, key], 'D-9', message, 'Shorten it if the pipeline shall run on AWS too.');
    }),
  ];
}

/** Fields that only some actions may have (CP 1.2). */
function fieldFindings({ action, path }: Placed, home: string | undefined): Finding[] {
  const { category, provider } = action.actionTypeId;
  const found: Finding[] = [];
  const refuse = (key: string, message: string, mend: string) =>
    found.push(actionError([...path, key], '1.2', `Action ${action.name}: ${message}`, mend));
  if (category === 'Approval') {
    if (action.roleArn !== undefined) refuse('roleArn', 'an approval has no roleArn', 'Leave it out.');
  } else if (action.timeoutInMinutes !== undefined) {
    refuse('timeoutInMinutes', 'only a manual approval may set timeoutInMinutes', 'Leave it out.');
  }
  if (action.region !== undefined && action.region !== home && isBoundToHome(action)) {
    const message = 'source, approval, third-party and custom actions cannot run in another region';
    refuse('region', message, 'Leave out region.');
  }
  if (provider !== 'Commands') commandsOnly(action, refuse);
  else if (action.commands.length === 0) {
    const message = `Action ${action.name} must have a non-empty commands field`;
    found.push(actionError(path, 'D-19', message, 'Add commands: a list of shell commands.'));
  }
  return found;
}

function commandsOnly(action: Placed['action'], refuse: (key: string, message: string, mend: string) => void): void {
  for (const key of ['commands', 'environmentVariables', 'outputVariables'] as const) {
    if (action[key].length > 0) refuse(key, `only a Commands action may have ${key}`, `Leave out ${key}.`);
  }
  if (action.outputArtifacts.some((artifact) => artifact.files !== undefined)) {
    refuse('outputArtifacts', 'only a Commands action may name the files of an artifact', 'Leave out files.');
  }
}

/** CP-D-21; the region is judged where the actions tell the pipeline's own. */
function notificationFindings({ action, path }: Placed, home: string | undefined): Finding[] {
  const arn = action.configuration['NotificationArn'];
  if (action.actionTypeId.category !== 'Approval' || arn === undefined || arn.includes('#{')) return [];
  const at = [...path, 'configuration', 'NotificationArn'];
  const parts = arn.split(':');
  if (parts.length !== 6 || parts[0] !== 'arn' || parts.some((part) => part === '')) {
    const message = `NotificationArn '${arn}' of action '${action.name}' is not a well-formed ARN`;
    return [actionError(at, 'D-21', message, 'Write arn:aws:sns:<region>:<account>:<topic>.')];
  }
  if (parts[2] !== 'sns') {
    const message = `NotificationArn '${arn}' of action '${action.name}' is not of the sns service`;
    return [actionError(at, 'D-21', message, 'Name an SNS topic.')];
  }
  if (home === undefined || parts[3] === home) return [];
  const message = `NotificationArn '${arn}' of action '${action.name}' is not in the region '${home}' of the pipeline`;
  return [actionError(at, 'D-21', message, `Name a topic in ${home}.`)];
}

/** The AWS engine runs it all the same, so these are warnings until it is known who runs the pipeline. */
function tierFindings({ action, path }: Placed, type: ActionType): Finding[] {
  const at = [...path, 'actionTypeId', 'provider'];
  const what = `${actionTypeName(action.actionTypeId)} of action '${action.name}'`;
  if (type.tier === 'granted') {
    const message = `The embedded engine runs ${what} only where the operator allows it.`;
    return [warning(at, 'P-6', message, 'Ask for embedded.aws in penstock.server.yml, or use the AWS engine.')];
  }
  if (type.tier === 'native') return [];
  const mend = `${toRunOnAws} ${toRunHere(action.actionTypeId)}`;
  return [{ ...warning(at, 'P-6', `The embedded engine cannot run ${what}.`, mend), exception: refusedAtStart }];
}
