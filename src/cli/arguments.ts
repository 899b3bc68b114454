import { parseArgs } from 'node:util';
import type { CliCommand } from './command.ts';
import { closest } from '../pipeline/closest.ts';

/** For commands that take none: anything is refused with the usage of the command. */
export function noArguments(args: readonly string[]): void {
  parseArgs({ args: [...args], options: {}, allowPositionals: false });
}

/** Thrown where `parseArgs` cannot see the mistake; is shown with the usage of the command. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
  readonly code = 'ERR_PARSE_ARGS_PENSTOCK';
}

/** `parseArgs` throws TypeErrors with codes like ERR_PARSE_ARGS_UNKNOWN_OPTION. */
export function isArgumentError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}

/** In our words: those of Node advise to write things that no command here takes. */
export function describeArgumentError(
  { code, message }: { readonly code: string; readonly message: string },
  { name, options = [] }: CliCommand,
): string {
  const [, named = ''] = /'(-[^' ]*|[^']*)/.exec(message) ?? [];
  switch (code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION': {
      const meant = closest(
        named,
        options.map(([written]) => written.split(/[ ,]/)[0] ?? ''),
      );
      return `penstock ${name} has no option ${named}.${meant?.startsWith('-') ? ` Did you mean ${meant}?` : ''}`;
    }
    case 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL':
      return `penstock ${name} takes no argument ${JSON.stringify(named)}.`;
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE':
      return message.includes('does not take') ? `${named} takes no value.` : `${named} needs a value after it.`;
    default:
      return message;
  }
}
