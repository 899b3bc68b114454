import type { Command, Target, Variable, Verb } from './command.ts';
import { targetPath } from './command.ts';
import { isKnownName, nearName, readTarget } from './names.ts';
import type { KnownPipelines } from './names.ts';
import { quote, quoteList } from './quote.ts';
import type { Shape } from './verbs.ts';
import { asVerb, verbTable, verbs } from './verbs.ts';
import type { Word } from './words.ts';
import { readWord } from './words.ts';

/** Turns what follows a verb into a command. */
export type CommandRead =
  { readonly ok: true; readonly command: Command } | { readonly ok: false; readonly problem: string };

/** What the words of a line said, before the verb gives them a meaning. */
interface Said {
  target?: Target;
  sha?: string;
  execution?: string;
  topic?: Verb;
  reason: string;
  readonly flags: Set<string>;
  readonly variables: Variable[];
  readonly keys: Set<string>;
}

/** Room is left for the name of the person, which the engine puts before it (CP-A-2: 512 in all). */
const maxReason = 450;
const sha = /^[0-9a-fA-F]{7,40}$/;
const shortSha = /^(?=[0-9a-fA-F]*[0-9])(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{4,6}$/;
const longSha = /^[0-9a-fA-F]{41,}$/;
/** A lone word of these letters was meant as a name as likely as not, unless everybody knows it as an answer. */
const nameLike = /^[A-Za-z0-9_.@-]{1,100}$/;
const answers: ReadonlySet<string> = new Set([
  'approved', 'broken', 'done', 'fine', 'good', 'great', 'lgtm', 'looksgood', 'nice', 'no', 'nope', 'ok', 'okay', 'perfect',
  'please', 'rejected', 'ship', 'shipit', 'sorry', 'sure', 'tested', 'thanks', 'verified', 'wrong', 'yes',
]); // prettier-ignore
const executionId = /^[0-9a-fA-F]{8}[0-9a-fA-F-]{0,28}$/;

export function readCommand(verb: Verb, rest: string, known: KnownPipelines | undefined): CommandRead {
  const said: Said = { reason: '', flags: new Set(), variables: [], keys: new Set() };
  const shape = verbTable[verb].shape;
  let at = 0;
  for (;;) {
    const read = readWord(rest, at);
    if (read.kind === 'end') return finish(verb, said, known);
    if (read.kind === 'unclosed') return wrong(`A quote (${read.quote}) is not closed.`);
    const isLast = rest.slice(read.word.end).trim() === '';
    const taken = take({ ...read.word, isLast }, shape, said, known);
    if (taken === 'reason') {
      said.reason = reasonFrom(rest, read.word);
      return finish(verb, said, known);
    }
    if (taken !== 'taken') return wrong(taken.problem);
    at = read.word.end;
  }
}

type Taken = 'taken' | 'reason' | { readonly problem: string };

interface Placed extends Word {
  readonly isLast: boolean;
}

function take(word: Placed, shape: Shape, said: Said, known: KnownPipelines | undefined): Taken {
  if (word.key !== undefined) return takeKey(word.key, word.value, shape, said);
  if (word.quoted && shape.reason !== undefined && !isKnownName(word.value, known)) return 'reason';
  const flag = word.value.toLowerCase();
  if (shape.flags?.includes(flag)) return addFlag(flag, said);
  if (shape.commit && (sha.test(word.value) || shape.target === undefined)) return setSha(word.value, said);
  if (shape.verb && said.topic === undefined) return setTopic(word.value, said);
  if (said.target === undefined && shape.target !== undefined && isTarget(word.value, shape, known))
    return setTarget(word.value, said, known);
  if (shape.execution && said.execution === undefined) return setExecution(word.value, said);
  if (shape.reason !== undefined) return mayBeginReason(word, shape, said, known);
  return { problem: `${quote(word.value)} is one word too many.` };
}

/** With a reason allowed, only what looks like a name is one; without, a word can be nothing else. */
function isTarget(word: string, shape: Shape, known: KnownPipelines | undefined): boolean {
  return shape.reason === undefined || shape.targetRequired === true || word.includes('/') || isKnownName(word, known);
}

/** A mistyped name or commit must not become a reason and approve something by guess. */
function mayBeginReason(
  { value: word, isLast }: Placed,
  shape: Shape,
  said: Said,
  known: KnownPipelines | undefined,
): Taken {
  const isOpen = said.target === undefined && shape.target !== undefined;
  const near = isOpen ? nearName(word, known) : undefined;
  if (near !== undefined) return { problem: `There is no ${quote(word)}. Did you mean ${quote(near)}?` };
  if (shape.commit && said.sha === undefined && shortSha.test(word))
    return { problem: `${quote(word)} is too short for a commit: write at least 7 digits of it.` };
  if (shape.commit && longSha.test(word))
    return { problem: `${quote(word)} is too long for a commit, which has 40 digits.` };
  const isName = isOpen && isLast && said.sha === undefined && nameLike.test(word) && !answers.has(word.toLowerCase());
  const unknown = isName ? readTarget(word, known) : undefined;
  return unknown?.ok === false
    ? { problem: `${unknown.problem} To give it as the reason, write \`reason=${word}\`.` }
    : 'reason';
}

function takeKey(key: string, value: string, shape: Shape, said: Said): Taken {
  if (said.keys.has(key)) return { problem: `${quote(key)} is given twice.` };
  said.keys.add(key);
  if (shape.variables) {
    said.variables.push({ name: key, value });
    return 'taken';
  }
  if (key === 'sha' && shape.commit) return setSha(value, said);
  if (key === 'reason' && shape.reason !== undefined) {
    said.reason = value;
    return 'taken';
  }
  const keys = [shape.commit ? 'sha' : '', shape.reason === undefined ? '' : 'reason'].filter((name) => name !== '');
  const may = keys.length === 0 ? 'It takes none.' : `It takes ${keys.map((name) => `\`${name}=\``).join(' and ')}.`;
  return { problem: `\`${key}=\` is not known here. ${may}` };
}

function addFlag(flag: string, said: Said): Taken {
  if (said.flags.size > 0 && !said.flags.has(flag))
    return { problem: `${quoteList([...said.flags, flag])} cannot both be meant: write one of them.` };
  said.flags.add(flag);
  return 'taken';
}

function setSha(value: string, said: Said): Taken {
  if (!sha.test(value)) return { problem: `${quote(value)} is not a commit: write 7 to 40 digits of it.` };
  const lower = value.toLowerCase();
  if (said.sha !== undefined && said.sha !== lower) return { problem: 'Two different commits are given.' };
  said.sha = lower;
  return 'taken';
}

function setTopic(value: string, said: Said): Taken {
  const topic = asVerb(value.replace(/^\//, ''));
  if (!topic) return { problem: `There is no command ${quote(value)}. The commands are ${verbs.join(', ')}.` };
  said.topic = topic;
  return 'taken';
}

function setTarget(value: string, said: Said, known: KnownPipelines | undefined): Taken {
  const read = readTarget(value, known);
  if (!read.ok) return read;
  said.target = read.target;
  return 'taken';
}

function setExecution(value: string, said: Said): Taken {
  if (!executionId.test(value))
    return { problem: `${quote(value)} is not an execution: write its id, or the first 8 digits of it.` };
  said.execution = value.toLowerCase();
  return 'taken';
}

/** As it was written; a reason that is one quoted text loses its quotes. */
function reasonFrom(rest: string, first: Word): string {
  const isAll = first.quoted && rest.slice(first.end).trim() === '';
  return (isAll ? first.value : rest.slice(first.start)).trim();
}

function finish(verb: Verb, said: Said, known: KnownPipelines | undefined): CommandRead {
  const { shape } = verbTable[verb];
  const target = said.target ?? {};
  if (said.reason.length > maxReason) return wrong(`The reason is longer than ${maxReason} characters.`);
  if (shape.targetRequired && said.target === undefined) return wrong('The stage is missing.');
  const problem = depthProblem(shape, target) ?? variableProblem(said.variables, target, known);
  if (problem !== undefined) return wrong(problem);
  if (shape.reason === 'required' && said.reason === '') return wrong('The reason is missing.');
  return { ok: true, command: build(verb, said, target) };
}

function depthProblem(shape: Shape, target: Target): string | undefined {
  if (shape.target === 'pipeline' && (target.stage !== undefined || target.action !== undefined))
    return `${quote(targetPath(target))} is not a pipeline.`;
  if (shape.target !== 'stage') return undefined;
  if (target.action !== undefined) return `${quote(targetPath(target))} is an action; write its stage.`;
  if (target.stage === undefined) return `${quote(targetPath(target))} is not a stage: write pipeline/stage.`;
  return target.pipeline === undefined
    ? `Several pipelines have ${quote(target.stage)}: write pipeline/stage.`
    : undefined;
}

function variableProblem(
  variables: readonly Variable[],
  target: Target,
  known: KnownPipelines | undefined,
): string | undefined {
  if (!known || variables.length === 0) return undefined;
  const names = Object.keys(known);
  const pipeline = target.pipeline ?? (names.length === 1 ? names[0] : undefined);
  if (pipeline === undefined) return 'Variables belong to one pipeline: write its name first.';
  const declared = Object.hasOwn(known, pipeline) ? (known[pipeline]?.variables ?? []) : [];
  const unknown = variables.find(({ name }) => !declared.includes(name));
  if (!unknown) return undefined;
  const may = declared.length === 0 ? 'It declares none.' : `It declares ${quoteList(declared)}.`;
  return `${quote(pipeline)} declares no variable ${quote(unknown.name)}. ${may}`;
}

function build(verb: Verb, said: Said, target: Target): Command {
  const { reason } = said;
  const commit = said.sha === undefined ? {} : { sha: said.sha };
  switch (verb) {
    case 'approve':
    case 'reject':
      return { verb, target, reason, ...commit };
    case 'retry':
      return { verb, target, all: said.flags.has('all') };
    case 'rerun':
    case 'status':
    case 'why':
    case 'plan':
      return { verb, target };
    case 'run':
      return { verb, target, variables: said.variables };
    case 'stop':
      return { verb, target, abandon: said.flags.has('abandon'), reason };
    case 'rollback':
      return { verb, target, ...(said.execution === undefined ? {} : { execution: said.execution }) };
    case 'hold':
    case 'release':
      return { verb, target, reason };
    case 'override':
      return { verb, target, reason, ...condition(said.flags) };
    case 'ok-to-test':
      return { verb, ...commit };
    case 'help':
      return { verb, ...(said.topic === undefined ? {} : { topic: said.topic }) };
  }
}

function condition(flags: ReadonlySet<string>): { condition?: 'BEFORE_ENTRY' | 'ON_SUCCESS' } {
  if (flags.size === 0) return {};
  return { condition: flags.has('entry') ? 'BEFORE_ENTRY' : 'ON_SUCCESS' };
}

function wrong(problem: string): CommandRead {
  return { ok: false, problem };
}
