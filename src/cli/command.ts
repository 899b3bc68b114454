/** Where a command writes and from where it resolves paths; tests hand in their own. */
export interface CliIo {
  out(text: string): void;
  /** Without a line end of its own. */
  write(text: string): void;
  err(text: string): void;
  /** The output is a terminal that shows colours. */
  readonly color: boolean;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C and SIGTERM. A command that heeds it ends in order. */
  readonly interrupted: AbortSignal;
}

/**
 * Runs one command with the arguments after its name and answers the exit code: 0 done, 1 done but the answer is bad
 * (a file with problems, a failed check), 2 called in a way that cannot be understood.
 * A mistake that a person can mend is thrown as UserError.
 */
export type RunCommand = (args: readonly string[], io: CliIo) => Promise<number>;

export interface CliCommand {
  readonly name: string;
  /** What stands after `penstock`: one line for each way to call it. */
  readonly usage: readonly string[];
  /** One line for the list of commands. */
  readonly summary: string;
  /** Arguments and options, each with its meaning. */
  readonly options?: readonly (readonly [written: string, meaning: string])[];
  /** Where more is written. */
  readonly page?: string;
  /** Loaded when asked for, so that help does not wait for a database driver. */
  readonly load: () => Promise<RunCommand>;
}
