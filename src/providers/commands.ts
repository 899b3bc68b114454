import { localId } from './background.ts';
import { CommandsConfiguration, forkRefusal, type CommandDeps } from './command-deps.ts';
import type { ActionProvider } from './provider.ts';
import { failed } from './reports.ts';
import { runCommands } from './run-commands.ts';

/** Runs the declared commands in one shell on this machine, as far apart from it as the isolation ladder allows. */
export function commands(deps: CommandDeps): ActionProvider<CommandsConfiguration> {
  return {
    type: { category: 'Compute', owner: 'AWS', provider: 'Commands', version: '1' },
    configuration: CommandsConfiguration,
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
