import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError, isDiskFull, UserError } from '../errors.ts';
import { packageRoot } from '../web/package-root.ts';
import { describeArgumentError, isArgumentError } from './arguments.ts';
import type { CliCommand, CliIo } from './command.ts';
import { commandHelp, helpText, unknownCommand, usageOf } from './help.ts';

/** Runs the command that `argv` names (argv without node and script) and answers the exit code. */
export async function runCli(argv: readonly string[], commands: readonly CliCommand[], io: CliIo): Promise<number> {
  const [name, ...args] = argv;
  if (name === undefined) {
    io.out(helpText(commands));
    return 2;
  }
  if (name === '--version' || name === '-v') {
    io.out(version());
    return 0;
  }
  if (asksForHelp(name)) return help(args[0], commands, io);
  if (args.includes('--help') || args.includes('-h')) return help(name, commands, io);
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return await runCommand(command, args, io);
  io.err(unknownCommand(name, commands));
  return 2;
}

function asksForHelp(word: string): boolean {
  return word === 'help' || word === '--help' || word === '-h';
}

function help(name: string | undefined, commands: readonly CliCommand[], io: CliIo): number {
  const command = commands.find((candidate) => candidate.name === name);
  if (name !== undefined && command === undefined) {
    io.err(unknownCommand(name, commands));
    return 2;
  }
  io.out(command === undefined ? helpText(commands) : commandHelp(command));
  return 0;
}

async function runCommand(command: CliCommand, args: readonly string[], io: CliIo): Promise<number> {
  try {
    const run = await command.load();
    return await run(args, io);
  } catch (error) {
    if (isArgumentError(error)) {
      io.err(describeArgumentError(error, command));
      io.err(`\n${usageOf(command)}\n\npenstock ${command.name} --help says what it all means.`);
      return 2;
    }
    if (error instanceof UserError) {
      io.err(error.message);
      return 1;
    }
    const outside = ofTheMachine(error);
    if (outside !== undefined) {
      io.err(`penstock ${command.name}: ${outside}`);
      return 1;
    }
    io.err(`penstock ${command.name} broke: ${describeError(error)}`);
    if (error instanceof Error && error.stack !== undefined) io.err(error.stack);
    return 1;
  }
}

/** What is wrong with the machine and not with Penstock: told without a stack. */
function ofTheMachine(error: unknown): string | undefined {
  if (isDiskFull(error)) {
    return `the disk is full (${describeError(error)}). Make room, or set PENSTOCK_HOME to a directory on another disk.`;
  }
  if (!(error instanceof Error) || !('code' in error) || !('path' in error)) return undefined;
  if (!['EACCES', 'EPERM', 'EROFS'].includes(String(error.code))) return undefined;
  return `${String(error.path)} cannot be used (${String(error.code)}). Correct its permissions, or set PENSTOCK_HOME to a directory of yours.`;
}

function version(): string {
  const read: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  const found = typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown';
  return `penstock ${found}`;
}
