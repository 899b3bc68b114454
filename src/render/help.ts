import type { Verb } from '../commands/command.ts';
import type { KnownPipelines } from '../commands/names.ts';
import type { CommandPrefix } from '../commands/verbs.ts';
import { usageLine, verbTable, verbs } from '../commands/verbs.ts';
import { plannedGateLine } from './answers.ts';
import { code, table } from './markdown.ts';
import type { PlannedGate } from './questions.ts';
import { own } from './view.ts';

export interface HelpFacts {
  /** What the asker's access is enough for (`allowedVerbs`). */
  readonly allowed: readonly Verb[];
  /** What would be refused here whatever their access: it is closed, it is no fork, their approval does not count. */
  readonly useless: readonly Verb[];
  /** By pipeline. */
  readonly gates: Readonly<Record<string, readonly PlannedGate[]>>;
  readonly known: KnownPipelines;
  readonly prefix: CommandPrefix;
}

/** Only what this person may do here; with a topic, that one verb in full. */
export function renderHelp(facts: HelpFacts, topic?: Verb): string {
  if (topic !== undefined) return topicHelp(facts, topic);
  const shown = facts.allowed.filter((verb) => !facts.useless.includes(verb));
  const rows = shown.map((verb) => [code(usageLine(verb, facts.prefix)), verbTable[verb].does]);
  const hidden = verbs.length - facts.allowed.length;
  return [
    'Write a command on a line of its own. You may:',
    table(['Command', 'What it does'], rows),
    ...(hidden === 0 ? [] : [`${hidden} more commands need write access to this repository.`]),
    pipelineLines(facts),
  ].join('\n\n');
}

function topicHelp({ allowed, useless, prefix }: HelpFacts, verb: Verb): string {
  const { does, example } = verbTable[verb];
  const here = useless.includes(verb) ? ' On this pull request it would be refused from you.' : '';
  const may = allowed.includes(verb) ? here : ' You may not: it needs write access to this repository.';
  return `${code(usageLine(verb, prefix))}: ${does}${may} For example ${code(`${prefix}${example}`)}.`;
}

function pipelineLines({ known, gates }: HelpFacts): string {
  const lines = Object.entries(known).map(([name, { stages, variables }]) => {
    const declared = variables.length === 0 ? '' : `; variables ${variables.map(code).join(', ')}`;
    const line = `- ${code(name)}: ${stages.map((stage) => code(stage.name)).join(' → ')}${declared}`;
    return [line, ...(own(gates, name) ?? []).map((gate) => `  ${plannedGateLine(gate)}`)].join('\n');
  });
  return lines.length === 0 ? 'No pipeline can be reached from here.' : `Pipelines here:\n${lines.join('\n')}`;
}

const whoMay: Readonly<Record<'read' | 'write' | 'gate', string>> = {
  read: 'everybody who can read',
  write: 'write access',
  gate: "the gate's policy",
};

/** The table of docs/commands.md, made from the same one as /help; a test keeps the page equal to it. */
export function commandsDocument(): string {
  const rows = verbs.map((verb) => {
    const { does, needs } = verbTable[verb];
    const author = verb === 'retry' || verb === 'stop' ? '; the author too, unless it is a fork' : '';
    return `| \`${usageLine(verb, '/')}\` | ${does} | ${whoMay[needs]}${author} |`;
  });
  return ['| command | what it does | who may |', '| --- | --- | --- |', ...rows].join('\n');
}
