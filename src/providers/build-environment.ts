import { z } from 'zod';
import type { Buildspec } from '../buildspec/buildspec.ts';
import { refusedEnvironmentName } from '../buildspec/environment.ts';
import { UserError } from '../errors.ts';
import { buildId, type BuildConfiguration, type BuildDeps, type ProjectSettings } from './build-project.ts';
import type { StartedAction } from './provider.ts';

type Action = StartedAction<BuildConfiguration>;
type Variable = ProjectSettings['environment'][number];

export interface BuildValues {
  readonly variables: Readonly<Record<string, string>>;
  /** Values that were looked up and must be masked besides the action's own secrets. */
  readonly secrets: readonly string[];
}

const Overrides = z.array(
  z.strictObject({
    name: z.string(),
    value: z.string(),
    type: z.enum(['PLAINTEXT', 'PARAMETER_STORE', 'SECRETS_MANAGER']).default('PLAINTEXT'),
  }),
);

/** Variables of the pipeline beat those of the project, which beat those of the buildspec (CP-B-5). */
export async function buildValues(
  deps: BuildDeps,
  action: Action,
  project: ProjectSettings,
  buildspec: Buildspec,
): Promise<BuildValues> {
  const fromBuildspec: Variable[] = [
    ...entries(buildspec.env.variables, 'PLAINTEXT'),
    ...entries(buildspec.env.parameterStore, 'PARAMETER_STORE'),
    ...entries(buildspec.env.secretsManager, 'SECRETS_MANAGER'),
  ];
  const written = [...fromBuildspec, ...project.environment, ...overridesOf(action.configuration.EnvironmentVariables)];
  const last = new Map(written.map((variable) => [variable.name, variable]));
  const variables: Record<string, string> = {};
  const secrets: string[] = [];
  for (const variable of last.values()) {
    checkName(variable.name);
    const value = await valueOf(deps, action, variable);
    variables[variable.name] = value;
    if (variable.type !== 'PLAINTEXT' && value !== '') secrets.push(value);
  }
  return { variables, secrets };
}

function entries(record: Readonly<Record<string, string>>, type: Variable['type']): Variable[] {
  return Object.entries(record).map(([name, value]) => ({ name, value, type }));
}

function overridesOf(text: string | undefined): readonly Variable[] {
  if (text === undefined) return [];
  try {
    return Overrides.parse(JSON.parse(text));
  } catch {
    throw new UserError(
      'EnvironmentVariables of the action is not a JSON list of {"name", "value", "type"}. ' +
        'Write for example [{"name":"MODE","value":"fast","type":"PLAINTEXT"}].',
    );
  }
}

function checkName(name: string): void {
  const reserved = name.startsWith('CODEBUILD_')
    ? `${name} is reserved: choose a name that does not begin with CODEBUILD_.`
    : undefined;
  const refusal = refusedEnvironmentName(name) ?? reserved;
  if (refusal !== undefined) throw new UserError(refusal);
}

async function valueOf(deps: BuildDeps, action: Action, { name, value, type }: Variable): Promise<string> {
  if (type === 'PLAINTEXT') return value;
  const [id, key] = type === 'SECRETS_MANAGER' ? splitReference(value) : [value, undefined];
  // A fork gets no secrets, whatever its buildspec asks for.
  const own = Object.hasOwn(action.secrets, id) ? action.secrets[id] : undefined;
  const found = action.trust === 'fork' ? undefined : (own ?? (await deps.secretSource?.(type, value, action)));
  if (found === undefined) {
    const from = type === 'SECRETS_MANAGER' ? 'secret' : 'parameter';
    throw new UserError(
      `The environment variable ${name} asks for the ${from} ${id}, which this build may not see. ` +
        'Name it under secrets: in penstock.server.yml for this repository. Pull requests from forks never get secrets.',
    );
  }
  return key === undefined || key === '' ? found : keyOf(found, id, key);
}

/** `secret-id[:json-key[:version-stage[:version-id]]]`, where the id may be an ARN with colons of its own. */
function splitReference(reference: string): readonly [string, string | undefined] {
  const parts = reference.split(':');
  const idParts = reference.startsWith('arn:') ? 7 : 1;
  return [parts.slice(0, idParts).join(':'), parts[idParts]];
}

function keyOf(secret: string, id: string, key: string): string {
  try {
    const value = (JSON.parse(secret) as Record<string, unknown>)[key];
    if (typeof value === 'string') return value;
  } catch {
    // Said below.
  }
  throw new UserError(`The secret ${id} is not JSON with a text under "${key}". Check the reference in the buildspec.`);
}

export interface BuildFacts {
  readonly startedAt: Date;
  readonly primary: string;
  /** Directories of the other inputs by name. */
  readonly others: ReadonlyMap<string, string>;
}

/** CodeBuild's own variables (CP 9.2), as far as they mean something on this machine. */
export function agentVariables(
  action: Action,
  { startedAt, primary, others }: BuildFacts,
): Readonly<Record<string, string>> {
  const region = action.declaration.region ?? 'us-east-1';
  const id = buildId(action);
  const arn = `arn:aws:codebuild:${region}:000000000000`;
  const source = action.inputs[0]?.location;
  return {
    AWS_DEFAULT_REGION: region,
    AWS_REGION: region,
    CODEBUILD_BUILD_ID: id,
    CODEBUILD_BUILD_ARN: `${arn}:build/${id}`,
    CODEBUILD_BUILD_NUMBER: String(action.attempt),
    CODEBUILD_BUILD_IMAGE: 'penstock/this-machine',
    CODEBUILD_BUILD_SUCCEEDING: '1',
    CODEBUILD_INITIATOR: `codepipeline/${action.pipeline}`,
    CODEBUILD_LOG_PATH: id.slice(id.indexOf(':') + 1),
    CODEBUILD_PROJECT_ARN: `${arn}:project/${action.configuration.ProjectName}`,
    CODEBUILD_RESOLVED_SOURCE_VERSION: action.origin.headSha,
    ...(source === undefined ? {} : { CODEBUILD_SOURCE_VERSION: `arn:aws:s3:::${source.bucket}/${source.key}` }),
    CODEBUILD_SOURCE_REPO_URL: '',
    CODEBUILD_SRC_DIR: primary,
    CODEBUILD_START_TIME: String(startedAt.getTime()),
    ...Object.fromEntries([...others].map(([name, directory]) => [`CODEBUILD_SRC_DIR_${name}`, directory])),
  };
}
