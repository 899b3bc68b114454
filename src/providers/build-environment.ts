import { z } from 'zod';
import type { Buildspec } from '../buildspec/buildspec.ts';
import { UserError } from '../errors.ts';
import { valuesOf, type Values, type WrittenVariable } from './action-environment.ts';
import { buildId, type BuildConfiguration, type BuildDeps, type ProjectSettings } from './build-project.ts';
import type { StartedAction } from './provider.ts';

type Action = StartedAction<BuildConfiguration>;

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
): Promise<Values> {
  const fromBuildspec: WrittenVariable[] = [
    ...entries(buildspec.env.variables, 'PLAINTEXT'),
    ...entries(buildspec.env.parameterStore, 'PARAMETER_STORE'),
    ...entries(buildspec.env.secretsManager, 'SECRETS_MANAGER'),
  ];
  const written = [...fromBuildspec, ...project.environment, ...overridesOf(action.configuration.EnvironmentVariables)];
  const reserved = written.find(({ name }) => name.startsWith('CODEBUILD_'));
  if (reserved !== undefined)
    throw new UserError(`${reserved.name} is reserved: choose a name that does not begin with CODEBUILD_.`);
  return valuesOf(written, action, deps.secretSource);
}

function entries(record: Readonly<Record<string, string>>, type: WrittenVariable['type']): WrittenVariable[] {
  return Object.entries(record).map(([name, value]) => ({ name, value, type }));
}

function overridesOf(text: string | undefined): readonly WrittenVariable[] {
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
