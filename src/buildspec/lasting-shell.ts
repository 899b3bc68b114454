import type { CommandResult } from './run-command.ts';
import type { ShellSession } from './shell-session.ts';

/** Ends that no command chose: nothing may follow them. */
export type Cut = Exclude<CommandResult, { kind: 'exited' | 'signalled' }>;

export type ShellOutcome =
  { readonly kind: 'status'; readonly status: number } | { readonly kind: 'cut'; readonly result: Cut };

/**
 * A shell that outlives commands which leave it: the next command gets a new one with the same variables. Once it was
 * cut there is no new one: every further command has the outcome of the cut.
 */
export interface LastingShell {
  run(command: string): Promise<ShellOutcome>;
  /** Exports a variable for the commands that follow. */
  set(name: string, value: number): Promise<void>;
  read(names: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** Undefined when no shell was open. */
  close(): Promise<CommandResult | undefined>;
}

export function createLastingShell(open: (restore: boolean) => Promise<ShellSession>): LastingShell {
  let session: ShellSession | undefined;
  let opened = 0;
  let cut: ShellOutcome | undefined;
  const current = async (): Promise<ShellSession> => {
    session ??= await open(opened > 0);
    opened += 1;
    return session;
  };
  return {
    run: async (command) => {
      if (cut !== undefined) return cut;
      const outcome = await (await current()).run(command);
      if (outcome.kind === 'finished') return { kind: 'status', status: outcome.status };
      session = undefined;
      const { result } = outcome;
      if (result.kind === 'exited') return { kind: 'status', status: result.status };
      if (result.kind === 'signalled') return { kind: 'status', status: 128 };
      cut = { kind: 'cut', result };
      return cut;
    },
    set: async (name, value) => {
      if (cut === undefined) await (await current()).set(name, value);
    },
    read: async (names) => (names.length === 0 || cut !== undefined ? {} : (await current()).read(names)),
    close: async () => {
      const last = session;
      session = undefined;
      return last?.close();
    },
  };
}
