import { warning, type Finding } from './finding.ts';
import type { Placed } from './structure-checks.ts';

/**
 * What deploy providers that only AWS runs ask of their values (CP 5.3). AWS finds most of it when the action runs, so
 * these are warnings. Values with variables are not judged.
 */
export function deployFindings(placed: Placed): Finding[] {
  switch (placed.action.actionTypeId.provider) {
    case 'CloudFormation':
      return stackFindings(placed);
    case 'CodeDeployToECS':
      return ['TaskDefinitionTemplateArtifact', 'AppSpecTemplateArtifact', ...imageKeys].flatMap((key) =>
        artifactFinding(placed, key, placed.action.configuration[key]),
      );
    case 'CloudFormationStackSet':
      return [
        ...choiceFinding(placed, 'PermissionModel', ['SELF_MANAGED', 'SERVICE_MANAGED']),
        ...fileFindings(placed, ['TemplatePath']),
      ];
    case 'ECS':
      return minutesFinding(placed);
    case 'EC2':
      return choiceFinding(placed, 'InstanceType', ['EC2', 'SSM_MANAGED_NODE']);
    default:
      return [];
  }
}

const imageKeys = [1, 2, 3, 4].map((place) => `Image${place}ArtifactName`);

/** The keys that each mode needs beside ActionMode and StackName. */
const stackModes: Readonly<Record<string, readonly string[]>> = {
  CREATE_UPDATE: ['TemplatePath', 'RoleArn'],
  REPLACE_ON_FAILURE: ['TemplatePath', 'RoleArn'],
  DELETE_ONLY: ['RoleArn'],
  CHANGE_SET_REPLACE: ['ChangeSetName', 'TemplatePath', 'RoleArn'],
  CHANGE_SET_EXECUTE: ['ChangeSetName'],
};

function stackFindings(placed: Placed): Finding[] {
  const { configuration, name } = placed.action;
  const mode = configuration['ActionMode'] ?? '';
  const needed = Object.hasOwn(stackModes, mode) ? (stackModes[mode] ?? []) : [];
  const lacking = needed.filter((key) => configuration[key] === undefined);
  return [
    ...choiceFinding(placed, 'ActionMode', Object.keys(stackModes)),
    ...lacking.map((key) => doubt(placed, 'ActionMode', `Action '${name}' needs ${key} for ${mode}`, `Add ${key}.`)),
    ...capabilityFindings(placed),
    ...fileFindings(placed, ['TemplatePath', 'TemplateConfiguration']),
    ...overrideFindings(placed),
  ];
}

const capabilities = ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'];

function capabilityFindings(placed: Placed): Finding[] {
  const named = valueOf(placed, 'Capabilities')?.split(',') ?? [];
  const odd = named.find((one) => !capabilities.includes(one.trim()));
  if (odd === undefined) return [];
  const mend = `Write a list with commas of ${capabilities.join(', ')}.`;
  return [doubt(placed, 'Capabilities', `Capabilities of action '${placed.action.name}' has '${odd}'`, mend)];
}

function overrideFindings(placed: Placed): Finding[] {
  const text = valueOf(placed, 'ParameterOverrides');
  if (text === undefined || isJsonMap(text)) return [];
  const message = `ParameterOverrides of action '${placed.action.name}' is not a JSON map`;
  return [doubt(placed, 'ParameterOverrides', message, 'Write it as in {"Stage":"beta"}.')];
}

/** `Artifact::path/of/the/file`. */
function fileFindings(placed: Placed, keys: readonly string[]): Finding[] {
  return keys.flatMap((key) => {
    const text = valueOf(placed, key);
    if (text === undefined) return [];
    const [artifact = '', file = ''] = text.split('::');
    if (file !== '') return artifactFinding(placed, key, artifact);
    const message = `${key} of action '${placed.action.name}' names no file of an artifact`;
    return [doubt(placed, key, message, 'Write it as in MyArtifact::template.yml.')];
  });
}

function artifactFinding(placed: Placed, key: string, artifact: string | undefined): Finding[] {
  const { inputArtifacts, name } = placed.action;
  const names = inputArtifacts.map((input) => input.name);
  if (artifact === undefined || artifact.includes('#{') || names.includes(artifact)) return [];
  const message = `${key} of action '${name}' names '${artifact}', which is none of its input artifacts`;
  return [
    doubt(placed, key, message, names.length === 0 ? 'Add inputArtifacts.' : `Write one of ${names.join(', ')}.`),
  ];
}

function choiceFinding(placed: Placed, key: string, known: readonly string[]): Finding[] {
  const value = valueOf(placed, key);
  if (value === undefined || known.includes(value)) return [];
  const message = `${key} of action '${placed.action.name}' cannot be '${value}'`;
  return [doubt(placed, key, message, `Write one of ${known.join(', ')}.`)];
}

function minutesFinding(placed: Placed): Finding[] {
  const value = valueOf(placed, 'DeploymentTimeout');
  if (value === undefined || (/^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 60)) return [];
  const message = `DeploymentTimeout of action '${placed.action.name}' is '${value}'`;
  return [doubt(placed, 'DeploymentTimeout', message, 'Write 1 to 60 minutes.')];
}

function valueOf({ action }: Placed, key: string): string | undefined {
  const value = action.configuration[key];
  return value?.includes('#{') ? undefined : value;
}

function doubt({ path }: Placed, key: string, message: string, mend: string): Finding {
  return warning([...path, 'configuration', key], '5.3', `${message}, so the action will fail`, mend);
}

function isJsonMap(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
