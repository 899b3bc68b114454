import { UserError } from '../errors.ts';
import { primaryInput, type BuildConfiguration, type BuildDeps } from './build-project.ts';
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

function primaryName(action: StartedAction<BuildConfiguration>): string {
  const names = action.inputs.map(({ name }) => name).join(', ');
  const named = action.configuration.PrimarySource;
  if (named === undefined && action.inputs.length > 1)
    throw new UserError(
      `The action has ${action.inputs.length} input artifacts: write PrimarySource, one of ${names}.`,
    );
  const primary = primaryInput(action);
  if (primary !== undefined) return primary.name;
  throw new UserError(
    `PrimarySource is ${named ?? ''}, which is no input artifact of this action. Write one of ${names}.`,
  );
}
