import type { CliCommand } from './command.ts';
import { closest } from '../pipeline/closest.ts';

export function helpText(commands: readonly CliCommand[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [
    'Penstock drives AWS-CodePipeline-shaped pipelines from GitHub pull requests.',
    '',
    'Usage: penstock <command> [arguments]',
    '',
    'Commands:',
    ...commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    '',
    'penstock <command> --help   how one command is called, and what its options mean',
    'penstock --version          the version',
    '',
    'Settings come from the environment and from penstock.server.yml: see docs/configuration.md.',
  ].join('\n');
}

/** Each way to call it, one a line. */
export function usageOf({ usage }: CliCommand): string {
  return usage.map((line, n) => `${n === 0 ? 'Usage:' : '      '} penstock ${line}`).join('\n');
}

export function commandHelp(command: CliCommand): string {
  const { summary, options = [], page } = command;
  const width = Math.max(0, ...options.map(([written]) => written.length));
  return [
    usageOf(command),
    `${summary}.`,
    options.map(([written, meaning]) => `  ${written.padEnd(width)}  ${meaning}`).join('\n'),
    page === undefined ? '' : `More: ${page}`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

export function unknownCommand(word: string, commands: readonly CliCommand[]): string {
  if (word.startsWith('-')) return `penstock has no option ${word}. Options of a command come after its name.`;
  const names = commands.map((command) => command.name);
  const meant = closest(word, names);
  const hint = meant === undefined ? `The commands are ${names.join(', ')}.` : `Did you mean \`penstock ${meant}\`?`;
  return `penstock has no command ${JSON.stringify(word)}. ${hint}`;
}
