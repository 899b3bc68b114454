import { buildId, BuildConfiguration, type BuildDeps } from './build-project.ts';
import { forkRefusal } from './command-deps.ts';
import type { ActionProvider } from './provider.ts';
import { failed } from './reports.ts';
import { runBuild } from './run-build.ts';

/** Runs the repository's own buildspec on this machine as CodeBuild would (CP 5.2, CP 9). */
export function codeBuild(deps: BuildDeps, category: 'Build' | 'Test'): ActionProvider<BuildConfiguration> {
  return {
    type: { category, owner: 'AWS', provider: 'CodeBuild', version: '1' },
    configuration: BuildConfiguration,
    artifacts: { in: [1, 5], out: [0, 5] },
    start: async (action) => {
      const refusal = forkRefusal(deps.isolation, action);
      if (refusal !== undefined) return failed('PermissionError', refusal);
      return deps.background.start({
        token: action.token,
        externalId: buildId(action),
        repeatable: false,
        heavy: true,
        run: (context) => runBuild(deps, action, context),
        changed: () => action.changed(),
      });
    },
    poll: (action) => deps.background.poll(action.token),
    stop: (action) => deps.background.stop(action.token),
  };
}
