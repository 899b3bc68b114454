import { UserError } from '../errors.ts';
import type { BuildConfiguration, BuildDeps } from './build-project.ts';
import type { StartedAction } from './provider.ts';
import { makeWorkArea, unpackInputs, type WorkArea } from './work-area.ts';

export interface BuildArea extends WorkArea {
  /** The source whose buildspec is used: the only input, or the one that PrimarySource names (CP-B-15). */
  readonly primary: string;
  readonly others: ReadonlyMap<string, string>;
}

export async function buildArea(deps: BuildDeps, action: StartedAction<BuildConfiguration>): Promise<BuildArea> {
  const name = primaryName(action);
  const area = await makeWorkArea(deps.home, action.actionExecution);
  const clones = { home: deps.home, path: deps.isolation.path, repositoryId: action.repository.id };
  try {
    const directories = new Map(await unpackInputs(deps.artifacts, area, action.inputs, clones));
    const primary = directories.get(name) ?? area.sources;
    directories.delete(name);
    return { ...area, primary, others: directories };
  } catch (error) {
    await area.remove();
    throw error;
  }
}

function primaryName({ configuration, inputs }: StartedAction<BuildConfiguration>): string {
  const names = inputs.map(({ name }) => name);
  if (configuration.PrimarySource === undefined && names.length > 1) {
    throw new UserError(
      `The action has ${names.length} input artifacts: write PrimarySource, one of ${names.join(', ')}.`,
    );
  }
  const name = configuration.PrimarySource ?? names[0] ?? '';
  if (names.includes(name)) return name;
  throw new UserError(
    `PrimarySource is ${name}, which is no input artifact of this action. Write one of ${names.join(', ')}.`,
  );
}
