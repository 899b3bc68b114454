import { parseArgs } from 'node:util';

/** For commands that take none: anything is refused with the usage of the command. */
export function noArguments(args: readonly string[]): void {
  parseArgs({ args: [...args], options: {}, allowPositionals: false });
}

/** Thrown where `parseArgs` cannot see the mistake; is shown with the usage of the command. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
  readonly code = 'ERR_PARSE_ARGS_PENSTOCK';
}
