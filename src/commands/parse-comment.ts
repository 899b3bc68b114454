import type { Command, Verb } from './command.ts';
import type { CommentLine } from './markdown-lines.ts';
import { commentLines, trimBlanks } from './markdown-lines.ts';
import type { KnownPipelines } from './names.ts';
import { nearVerb, nearVerbOfOurs } from './near-miss.ts';
import { readCommand } from './parse-command.ts';
import { quote } from './quote.ts';
import type { CommandPrefix } from './verbs.ts';
import { asVerb, usageLine } from './verbs.ts';

/**
 * The commands in a comment or review body. A command is one line of plain text that begins with `/verb` or
 * `/penstock verb`; several are obeyed in their order. What others' bots may listen to gets no answer at all.
 */
export type ParsedLine =
  | { readonly kind: 'command'; readonly line: number; readonly text: string; readonly command: Command }
  | {
      readonly kind: 'error';
      readonly line: number;
      readonly text: string;
      readonly problem: string;
      /** How to write it, for example `/retry [pipeline/stage] [all]`. */
      readonly usage: string;
    }
  | {
      readonly kind: 'near-miss';
      readonly line: number;
      readonly text: string;
      /** What was perhaps meant, to be written by the person; Penstock never acts on it. */
      readonly suggestion: string;
      /** Why the line itself is no command. */
      readonly why: string;
    };

export interface ParseOptions {
  /** False: only `/penstock verb` is heard. */
  readonly bare: boolean;
  /** Absent: names are taken as written. */
  readonly known?: KnownPipelines;
}

const maxCommands = 10;
const maxShownText = 200;

// Characters that cannot be seen, turn the direction of text, or look like a space (the last one is an empty Braille
// cell). A joiner between two emoji and the selector after one or before a key cap are parts of what is seen.
const partOfEmoji = '(?<=\\p{Extended_Pictographic}[\\uFE0F\\u{1F3FB}-\\u{1F3FF}]?)[\\u200D\\uFE0F]|\\uFE0F(?=\\u20E3)';
const invisible = new RegExp(
  `(?!${partOfEmoji}|[ \\t])[\\p{Cc}\\p{Cf}\\p{Z}\\p{Default_Ignorable_Code_Point}\\u2800]`,
  'u',
);
const everyInvisible = new RegExp(invisible, 'gu');
const slashes = /^[/\uFF0F\u2044\u2215\u29F8]/;

export function parseComment(body: string, options: ParseOptions): readonly ParsedLine[] {
  const read = commentLines(body);
  const usage = '/penstock help';
  if (!read.ok) return [{ kind: 'error', line: 1, text: '', problem: `${read.why} No command in it was read.`, usage }];
  const parsed = read.lines.flatMap((line) => parseLine(line, options) ?? []);
  const once = parsed.filter(
    (line, index) => parsed.findIndex((earlier) => earlier.text === line.text && earlier.kind === line.kind) === index,
  );
  const left = once[maxCommands];
  if (!left) return once;
  const problem = `A comment may hold ${maxCommands} commands; this one and those after it were not read.`;
  return [...once.slice(0, maxCommands), { kind: 'error', line: left.line, text: left.text, problem, usage }];
}

function parseLine(line: CommentLine, options: ParseOptions): ParsedLine | undefined {
  const text = trimBlanks(line.text);
  const said = split(text);
  const verb = asVerb(said.word);
  if (said.word.toLowerCase() === 'penstock') return parseOurs(line, text, said.rest, options);
  if (!options.bare) return undefined;
  if (verb) return parseVerb(line, text, verb, said.rest, '/', options);
  return nearMiss(line, text);
}

/** `/penstock verb …`: nobody else is meant, so everything gets an answer. */
function parseOurs(line: CommentLine, text: string, rest: string, options: ParseOptions): ParsedLine {
  const said = split(`/${rest}`);
  const verb = asVerb(said.word);
  if (said.word === '') return parseVerb(line, text, 'help', '', '/penstock ', options);
  if (verb) return parseVerb(line, text, verb, said.rest, '/penstock ', options);
  const why = hiddenCharacter(text) ?? notOurs(said.word);
  return miss(line, text, `/penstock ${nearVerbOfOurs(visible(said.word)) ?? 'help'}`, why);
}

function parseVerb(
  line: CommentLine,
  text: string,
  verb: Verb,
  rest: string,
  prefix: CommandPrefix,
  options: ParseOptions,
): ParsedLine {
  const suggestion = `${prefix}${verb}`;
  if (line.standing !== 'plain')
    return miss(line, text, suggestion, `The line is ${line.standing}: leave an empty line above it.`);
  const hidden = hiddenCharacter(text);
  if (hidden !== undefined) return miss(line, text, suggestion, hidden);
  const read = readCommand(verb, rest, options.known);
  const shown = short(text);
  return read.ok
    ? { kind: 'command', line: line.line, text: shown, command: read.command }
    : { kind: 'error', line: line.line, text: shown, problem: read.problem, usage: usageLine(verb, prefix) };
}

function nearMiss(line: CommentLine, text: string): ParsedLine | undefined {
  if (line.standing !== 'plain') return undefined;
  const word = /^\S*/.exec(text.replaceAll(everyInvisible, ''))?.[0] ?? '';
  if (!slashes.test(word)) return undefined;
  const meant = word.slice(1);
  const verb = asVerb(meant) ?? nearVerb(meant);
  if (!verb) return undefined;
  const why = hiddenCharacter(text) ?? (text.startsWith('/') ? undefined : 'It does not begin with a plain slash.');
  return miss(line, text, `/${verb}`, why ?? notOurs(`/${meant}`));
}

/** A letter that only looks like one of ours would make "is not a command" a riddle. */
function notOurs(word: string): string {
  const strange = /[^\x20-\x7E]/u.exec(word)?.[0];
  const what = `${quote(word)} is not a command`;
  return strange === undefined ? `${what}.` : `${what}: it holds an unusual character (${codeOf(strange)}).`;
}

function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function miss(line: CommentLine, text: string, suggestion: string, why: string): ParsedLine {
  return { kind: 'near-miss', line: line.line, text: short(text), suggestion, why };
}

/** The token after the slash, and the rest of the line. Only a blank or a tab ends it. */
function split(text: string): { word: string; rest: string } {
  const [, word = '', rest = ''] = /^\/([^ \t]*)[ \t]*(.*)$/s.exec(text) ?? [];
  return { word, rest };
}

function hiddenCharacter(text: string): string | undefined {
  const found = invisible.exec(text)?.[0];
  if (found === undefined) return undefined;
  return `The line holds an invisible or unusual character (${codeOf(found)}): type it anew.`;
}

function visible(text: string): string {
  return text.replaceAll(everyInvisible, ' ').trim();
}

function short(text: string): string {
  const shown = visible(text);
  return shown.length > maxShownText ? `${shown.slice(0, maxShownText - 1)}…` : shown;
}
