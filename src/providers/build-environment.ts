import { z } from 'zod';
import type { Buildspec } from '../buildspec/buildspec.ts';
import { UserError } from '../errors.ts';
import { valuesOf, type Values, type WrittenVariable } from './action-environment.ts';
import {
  buildId,
  primaryInput,
  type BuildConfiguration,
  type BuildDeps,
  type ProjectSettings,
} from './build-project.ts';
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
  /** Of the project's builds, from 1. */
  readonly number: number;
  readonly primary: string;
  /** Directories of the other inputs by name. */
  readonly others: ReadonlyMap<string, string>;
  /** Where people read the repository, without a slash at the end; its host's address. */
  readonly webUrl: string | undefined;
}

export const buildImage = 'penstock/this-machine';

/** CodeBuild's own variables (CP 9.2), as far as they mean something on this machine. */
export function agentVariables(action: Action, facts: BuildFacts): Readonly<Record<string, string>> {
  const { startedAt, number, primary, others } = facts;
  const region = regionOf(action);
  const id = buildId(action);
  const source = primaryInput(action)?.location;
  const { headSha } = action.origin;
  return {
    AWS_DEFAULT_REGION: region,
    AWS_REGION: region,
    CODEBUILD_BUILD_ID: id,
    CODEBUILD_BUILD_ARN: buildArn(action),
    CODEBUILD_BUILD_NUMBER: String(number),
    CODEBUILD_BUILD_IMAGE: buildImage,
    CODEBUILD_BUILD_SUCCEEDING: '1',
    ...addresses(action, facts.webUrl),
    CODEBUILD_INITIATOR: `codepipeline/${action.pipeline}`,
    CODEBUILD_KMS_KEY_ID: `arn:aws:kms:${region}:${account}:alias/aws/s3`,
    CODEBUILD_LOG_PATH: id.slice(id.indexOf(':') + 1),
    CODEBUILD_PROJECT_ARN: `${arnPrefix(region)}:project/${action.configuration.ProjectName}`,
    // Started without a commit: unset, as where CodeBuild does not know it.
    ...(headSha === '' ? {} : { CODEBUILD_RESOLVED_SOURCE_VERSION: headSha }),
    ...(source === undefined ? {} : { CODEBUILD_SOURCE_VERSION: `arn:aws:s3:::${source.bucket}/${source.key}` }),
    CODEBUILD_SRC_DIR: primary,
    CODEBUILD_START_TIME: String(startedAt.getTime()),
    ...Object.fromEntries([...others].map(([name, directory]) => [`CODEBUILD_SRC_DIR_${name}`, directory])),
  };
}

/** Our page opens by a signed link, which is nothing for a build to hold: builds are told of the commit's checks. */
function addresses({ repository, origin }: Action, webUrl: string | undefined): Readonly<Record<string, string>> {
  const site = webUrl === undefined ? '' : `${webUrl}/${repository.owner}/${repository.name}`;
  const page = site === '' || origin.headSha === '' ? '' : `${site}/commit/${origin.headSha}/checks`;
  return {
    CODEBUILD_BUILD_URL: page,
    CODEBUILD_PUBLIC_BUILD_URL: page,
    CODEBUILD_SOURCE_REPO_URL: site === '' ? '' : `${site}.git`,
  };
}

export function buildArn(action: Action): string {
  return `${arnPrefix(regionOf(action))}:build/${buildId(action)}`;
}

const account = '000000000000';

function arnPrefix(region: string): string {
  return `arn:aws:codebuild:${region}:${account}`;
}

function regionOf({ declaration }: Action): string {
  return declaration.region ?? 'us-east-1';
}
