import { z } from 'zod';
import type { Isolation, NetworkAccess } from '../buildspec/isolation.ts';
import { localId, type Background } from './background.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { ActionProvider, StartedAction } from './provider.ts';
import { failed } from './reports.ts';
import { runCommands } from './run-commands.ts';

export interface CommandDeps {
  readonly home: string;
  readonly isolation: Isolation;
  /** For code of the repository itself; code of forks gets none. */
  readonly network: NetworkAccess;
  readonly artifacts: ArtifactStore;
  readonly background: Background;
}

/** Where AWS would run the commands; accepted so that an existing pipeline reads, and without effect here. */
const Configuration = z.strictObject({
  EnvironmentType: z.string().optional(),
  ComputeType: z.string().optional(),
  VpcId: z.string().optional(),
  Subnets: z.string().optional(),
  SecurityGroupIds: z.string().optional(),
});
export type CommandsConfiguration = z.infer<typeof Configuration>;

/** Runs the declared commands in one shell on this machine, as far apart from it as the isolation ladder allows. */
export function commands(deps: CommandDeps): ActionProvider<CommandsConfiguration> {
  return {
    type: { category: 'Compute', owner: 'AWS', provider: 'Commands', version: '1' },
    configuration: Configuration,
    artifacts: { in: [1, 10], out: [0, 1] },
    start: async (action) => {
      const refusal = forkRefusal(deps.isolation, action);
      if (refusal !== undefined) return failed('PermissionError', refusal);
      return deps.background.start({
        token: action.token,
        externalId: localId(action.token),
        repeatable: false,
        heavy: true,
        run: (context) => runCommands(deps, action, context),
        changed: () => action.changed(),
      });
    },
    poll: (action) => deps.background.poll(action.token),
    stop: (action) => deps.background.stop(action.token),
  };
}

/** Code of a fork has no network; where commands are not contained they have the machine's, which is said in the log. */
export function networkOf(
  deps: Pick<CommandDeps, 'isolation' | 'network'>,
  trust: StartedAction<unknown>['trust'],
): NetworkAccess {
  if (trust === 'fork') return 'none';
  return typeof deps.network === 'string' || deps.isolation.contained ? deps.network : 'host';
}

/** Code of a fork runs only where it can neither read this machine nor outlive its step. */
export function forkRefusal(isolation: Isolation, action: Pick<StartedAction<unknown>, 'trust'>): string | undefined {
  if (action.trust !== 'fork' || isolation.contained) return undefined;
  return 'Code of a fork is not run here, because commands cannot be isolated on this machine. Install bubblewrap on the server.';
}
