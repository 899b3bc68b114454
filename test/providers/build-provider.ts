import type { Isolation } from '../../src/buildspec/isolation.ts';
import type { openArtifactStore } from '../../src/providers/artifact-store.ts';
import { createBackground } from '../../src/providers/background.ts';
import { codeBuild } from '../../src/providers/code-build.ts';

/** CodeBuild on one rung of the ladder, for projects that say everything in their buildspec; without network where it can be. */
export function buildsOn(isolation: Isolation, home: string, artifacts: ReturnType<typeof openArtifactStore>) {
  const network = isolation.contained ? 'none' : 'host';
  const project = () => Promise.resolve(null);
  return codeBuild({ home, isolation, network, artifacts, background: createBackground(home, 2), project }, 'Build');
}
