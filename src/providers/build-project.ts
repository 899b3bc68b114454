import { z } from 'zod';
import { nameOfToken } from './action-record.ts';
import type { CommandDeps } from './command-deps.ts';
import type { NamedArtifact, StartedAction } from './provider.ts';

/** What a ProjectName means: `projects:` of the repository's configuration. */
export interface ProjectSettings {
  /** A path in the repository, or a buildspec itself when it has more than one line. */
  readonly buildspec?: string;
  /** Absent: what the operator says, else 60. */
  readonly timeoutInMinutes?: number;
  readonly environment: readonly {
    readonly name: string;
    readonly value: string;
    readonly type: 'PLAINTEXT' | 'PARAMETER_STORE' | 'SECRETS_MANAGER';
  }[];
}

/** The projects that belong to an execution's configuration; null when there is none of that name. */
export type ProjectLookup = (
  name: string,
  action: Pick<StartedAction<unknown>, 'repository' | 'execution'>,
) => Promise<ProjectSettings | null>;

export interface BuildDeps extends CommandDeps {
  readonly project: ProjectLookup;
  /** Where people read the repositories, without a slash at the end: `https://github.com`. */
  readonly webUrl?: string | undefined;
}

const yesNo = z.enum(['true', 'false']);

export const BuildConfiguration = z
  .strictObject({
    ProjectName: z.string().min(1).max(150),
    PrimarySource: z.string().optional(),
    BatchEnabled: yesNo.optional(),
    CombineArtifacts: yesNo.optional(),
    BuildspecOverride: z.string().optional(),
    EnvironmentVariables: z.string().optional(),
    ServiceRoleArnOverride: z.string().optional(),
  })
  .refine(({ BatchEnabled }) => BatchEnabled !== 'true', {
    path: ['BatchEnabled'],
    message: 'Batch builds do not run on the embedded engine. Write one action per build, with the same runOrder.',
  });
export type BuildConfiguration = z.infer<typeof BuildConfiguration>;

/** `project:uuid`, the same for the same token (CP-P-4). */
export function buildId(action: StartedAction<BuildConfiguration>): string {
  const hex = nameOfToken(action.token);
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)];
  return `${action.configuration.ProjectName}:${uuid.join('-')}`;
}

/** The input that PrimarySource names, else the first one: the source whose buildspec is used (CP-B-15). */
export function primaryInput({
  configuration: { PrimarySource },
  inputs,
}: StartedAction<BuildConfiguration>): NamedArtifact | undefined {
  return PrimarySource === undefined ? inputs[0] : inputs.find(({ name }) => name === PrimarySource);
}
