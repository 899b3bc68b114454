import type { CliCommand } from './command.ts';
import { nearest } from './suggest.ts';

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
    'penstock <command> --help   how one command is called',
    'penstock --version          the version',
    '',
    'Settings come from the environment and from penstock.server.yml: see docs/configuration.md.',
  ].join('\n');
}

export function commandHelp(command: CliCommand): string {
  return `Usage: penstock ${command.usage}\n\n${command.summary}.`;
}

export function unknownCommand(word: string, commands: readonly CliCommand[]): string {
  const names = commands.map((command) => command.name);
  const meant = nearest(word, names);
  const hint = meant === undefined ? `The commands are ${names.join(', ')}.` : `Did you mean \`penstock ${meant}\`?`;
  return `penstock has no command ${JSON.stringify(word)}. ${hint}`;
}
