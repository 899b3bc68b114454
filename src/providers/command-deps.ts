import { z } from 'zod';
import type { Egress } from '../buildspec/egress.ts';
import type { Isolation, NetworkAccess } from '../buildspec/isolation.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { Background } from './background.ts';
import type { StartedAction } from './provider.ts';
import type { SecretSource } from './secret-values.ts';

export interface CommandDeps {
  readonly home: string;
  readonly isolation: Isolation;
  /** For code of the repository itself; code of forks gets none. */
  readonly network: BuildNetwork;
  readonly artifacts: ArtifactStore;
  readonly background: Background;
  readonly times?: TimeLimits;
  /** Secrets and parameters that are not secrets of the server. */
  readonly secretSource?: SecretSource;
}

/** `host`: this machine's. */
export type BuildNetwork = 'none' | 'host' | Pick<Egress, 'open'>;

/** What the operator says. */
export interface TimeLimits {
  /** Where neither the action nor the project says; null: the usual time of the provider. */
  readonly defaultMinutes: number | null;
  readonly maximumMinutes: number;
}

/** How long an action may take, and what to say in its log where that is less than it asked for. */
export function minutesFor(
  asked: number | undefined,
  usual: number,
  times: TimeLimits = { defaultMinutes: null, maximumMinutes: Infinity },
): { readonly minutes: number; readonly note?: string } {
  const wanted = asked ?? times.defaultMinutes ?? usual;
  if (wanted <= times.maximumMinutes) return { minutes: wanted };
  const allowed = `${times.maximumMinutes} minutes is the most that embedded.limits.maximumTime allows on this server`;
  return { minutes: times.maximumMinutes, note: `${allowed}; ${wanted} would have been allowed without it.` };
}

/** Where AWS would run the commands; accepted so that an existing pipeline reads, and without effect here. */
export const CommandsConfiguration = z.strictObject({
  EnvironmentType: z.string().optional(),
  ComputeType: z.string().optional(),
  VpcId: z.string().optional(),
  Subnets: z.string().optional(),
  SecurityGroupIds: z.string().optional(),
});
export type CommandsConfiguration = z.infer<typeof CommandsConfiguration>;

/**
 * Runs a build with the network that it may have; nothing of that outlives it. Code of a fork has none; where commands
 * are not contained they have the machine's, which is said in the log.
 */
export async function withNetwork<T>(
  { network, isolation }: Pick<CommandDeps, 'isolation' | 'network'>,
  trust: StartedAction<unknown>['trust'],
  run: (access: NetworkAccess) => Promise<T>,
): Promise<T> {
  if (trust === 'fork') return run('none');
  if (typeof network === 'string') return run(network);
  if (!isolation.contained) return run('host');
  const door = await network.open();
  try {
    return await run({ proxy: door.socket });
  } finally {
    await door.close();
  }
}

/** Code of a fork runs only where it can neither read this machine nor outlive its step. */
export function forkRefusal(isolation: Isolation, action: Pick<StartedAction<unknown>, 'trust'>): string | undefined {
  if (action.trust !== 'fork' || isolation.contained) return undefined;
  return 'Code of a fork is not run here, because commands cannot be isolated on this machine. Install bubblewrap on the server.';
}
