import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError, UserError } from '../errors.ts';
import { packageRoot } from '../web/package-root.ts';
import type { CliCommand, CliIo } from './command.ts';
import { commandHelp, helpText, unknownCommand } from './help.ts';

/** Runs the command that `argv` names (argv without node and script) and answers the exit code. */
export async function runCli(argv: readonly string[], commands: readonly CliCommand[], io: CliIo): Promise<number> {
  const [name, ...args] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io.out(helpText(commands));
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    io.out(version());
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    io.err(unknownCommand(name, commands));
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    io.out(commandHelp(command));
    return 0;
  }
  return await runCommand(command, args, io);
}

async function runCommand(command: CliCommand, args: readonly string[], io: CliIo): Promise<number> {
  try {
    const run = await command.load();
    return await run(args, io);
  } catch (error) {
    if (isArgumentError(error)) {
      io.err(`${error.message}\n\n${commandHelp(command)}`);
      return 2;
    }
    if (error instanceof UserError) {
      io.err(error.message);
      return 1;
    }
    io.err(`penstock ${command.name} broke: ${describeError(error)}`);
    if (error instanceof Error && error.stack !== undefined) io.err(error.stack);
    return 1;
  }
}

/** `parseArgs` throws TypeErrors with codes like ERR_PARSE_ARGS_UNKNOWN_OPTION. */
function isArgumentError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}

function version(): string {
  const read: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  const found = typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown';
  return `penstock ${found}`;
}
