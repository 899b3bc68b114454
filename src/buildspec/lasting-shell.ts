import type { CommandResult } from './run-command.ts';
import type { ShellSession } from './shell-session.ts';

/** Ends that no command chose: nothing may follow them. */
export type Cut = Exclude<CommandResult, { kind: 'exited' | 'signalled' }>;

export type ShellOutcome =
  { readonly kind: 'status'; readonly status: number } | { readonly kind: 'cut'; readonly result: Cut };

/** A shell that outlives commands which leave it: the next command gets a new one with the same variables. */
export interface LastingShell {
  run(command: string): Promise<ShellOutcome>;
  read(names: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** Undefined when no shell was open. */
  close(): Promise<CommandResult | undefined>;
}

export function createLastingShell(open: (restore: boolean) => Promise<ShellSession>): LastingShell {
  let session: ShellSession | undefined;
  let opened = 0;
  const current = async (): Promise<ShellSession> => {
    session ??= await open(opened > 0);
    opened += 1;
    return session;
  };
  return {
    run: async (command) => {
      const outcome = await (await current()).run(command);
      if (outcome.kind === 'finished') return { kind: 'status', status: outcome.status };
      session = undefined;
      const { result } = outcome;
      if (result.kind === 'exited') return { kind: 'status', status: result.status };
      return result.kind === 'signalled' ? { kind: 'status', status: 128 } : { kind: 'cut', result };
    },
    read: async (names) => (names.length === 0 ? {} : (await current()).read(names)),
    close: async () => {
      const last = session;
      session = undefined;
      return last?.close();
    },
  };
}
