import { join } from 'node:path';
import type { ArtifactSet, Buildspec } from '../buildspec/buildspec.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { ActionLog, NamedArtifact } from './provider.ts';
import { storeOutput } from './store-output.ts';

export interface BuildOutputs {
  readonly outputs: readonly NamedArtifact[];
  readonly primary: string;
  readonly scratch: string;
  readonly log: ActionLog;
}

/** Stores what the action gives on; says in words what was missing. */
export async function storeBuildOutputs(
  artifacts: ArtifactStore,
  buildspec: Buildspec,
  request: BuildOutputs,
): Promise<string | undefined> {
  for (const [index, output] of request.outputs.entries()) {
    const set = setFor(buildspec, request.outputs, output);
    if (typeof set === 'string') return set;
    const problem = await storeOutput(artifacts, output, {
      directory: request.primary,
      ...set,
      to: join(request.scratch, `output-${index}.zip`),
      log: request.log,
    });
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** One output is the top-level block; of two or more each is a secondary artifact of the same name (CP-B-16). */
function setFor(buildspec: Buildspec, outputs: readonly NamedArtifact[], output: NamedArtifact): ArtifactSet | string {
  if (outputs.length === 1) {
    return (
      buildspec.artifacts ??
      `The action has the output artifact ${output.name}, but the buildspec has no artifacts. Write artifacts: with files:, or remove the output.`
    );
  }
  return (
    buildspec.secondaryArtifacts.get(output.name) ??
    `The action has ${outputs.length} output artifacts, and ${output.name} is none of the buildspec's secondary-artifacts. ` +
      `Write artifacts.secondary-artifacts.${output.name}: with files:.`
  );
}
