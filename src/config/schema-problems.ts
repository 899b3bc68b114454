import { z } from 'zod';
import type { Problem } from '../pipeline/problem.ts';
import { maxProblems } from './yaml-file.ts';
import type { Locate } from './yaml-file.ts';

/** A document as read, with what turns a wrong value into a line that a person can act on. */
export interface ReadDocument {
  readonly file: string;
  readonly value: unknown;
  readonly locate: Locate;
  readonly locateKey: Locate;
}

export type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly Problem[] };

export function check<S extends z.ZodType>(schema: S, document: ReadDocument): Checked<z.output<S>> {
  const parsed = schema.safeParse(document.value, { reportInput: true });
  if (parsed.success) return { ok: true, value: parsed.data };
  return {
    ok: false,
    problems: parsed.error.issues.slice(0, maxProblems).flatMap((issue) => problemsOf(issue, document)),
  };
}

/** An object whose other keys are errors; the error lists the keys that there are. */
export function strict<S extends z.ZodRawShape>(shape: S) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `Known keys here: ${keys}.` : undefined),
  });
}

/** A condition beyond the shape, with what to write instead. */
export function rule<T>(holds: (value: T) => boolean, message: string, mend: string) {
  return (context: z.core.ParsePayload<T>): void => {
    if (holds(context.value)) return;
    context.issues.push({ code: 'custom', input: context.value, message, params: { mend } });
  };
}

/** `pipelines.web.gates["Release/Approve"].count` */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      const name = String(key);
      if (!/^[A-Za-z_][\w-]*$/.test(name)) return `[${JSON.stringify(name.slice(0, 100))}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join('');
}

type Issue = z.core.$ZodIssue;

function problemsOf(issue: Issue, document: ReadDocument): readonly Problem[] {
  if (issue.code === 'invalid_union') return unionProblems(issue, document);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, maxProblems).map((key) => unknownKey(key, issue, document));
  if (issue.code === 'invalid_key') return [invalidKey(issue, document)];
  const { message, mend } = wordsFor(issue);
  return [problem(document, document.locate(issue.path), issue.path, message, mend)];
}

/** Of the alternatives, the one that got furthest is what the writer meant. */
function unionProblems(issue: z.core.$ZodIssueInvalidUnion, document: ReadDocument): readonly Problem[] {
  const depth = (issues: readonly Issue[]) => Math.max(...issues.map((inner) => inner.path.length));
  const [closest] = [...issue.errors].sort((a, b) => depth(b) - depth(a));
  return (closest ?? []).flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, document));
}

function unknownKey(key: string, issue: Issue, document: ReadDocument): Problem {
  const path = [...issue.path, key];
  return problem(
    document,
    document.locateKey(path),
    path,
    `\`${pathText(path)}\` is not a key that Penstock knows.`,
    issue.message,
  );
}

function invalidKey(issue: z.core.$ZodIssueInvalidKey, document: ReadDocument): Problem {
  const [inner] = issue.issues;
  const mend = inner?.code === 'custom' && typeof inner.params?.['mend'] === 'string' ? inner.params['mend'] : '';
  const message = inner?.message ?? 'This name cannot be used.';
  return problem(document, document.locateKey(issue.path), issue.path, `\`${pathText(issue.path)}\`: ${message}`, mend);
}

interface Words {
  readonly message: string;
  readonly mend: string;
}

function wordsFor(issue: Issue): Words {
  const name = issue.path.length > 0 ? `\`${pathText(issue.path)}\`` : 'The file';
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(name, issue);
    case 'invalid_value':
      return {
        message: `${name} cannot be ${show(issue.input)}.`,
        mend: `Write ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}.`,
      };
    case 'too_small':
      return {
        message: `${name} is too ${issue.origin === 'number' ? 'small' : 'short'}.`,
        mend: `At least ${limit(issue.minimum, issue.origin)}.`,
      };
    case 'too_big':
      return {
        message: `${name} is too ${issue.origin === 'number' ? 'big' : 'long'}.`,
        mend: `At most ${limit(issue.maximum, issue.origin)}.`,
      };
    case 'custom':
      return {
        message: `${name} ${issue.message}`,
        mend: typeof issue.params?.['mend'] === 'string' ? issue.params['mend'] : '',
      };
    default:
      return { message: `${name}: ${issue.message}.`, mend: 'See docs/configuration.md for what can stand here.' };
  }
}

function wrongType(name: string, issue: z.core.$ZodIssueInvalidType): Words {
  const wanted = typeWords[issue.expected] ?? issue.expected;
  if (issue.input === undefined) return { message: `${name} is missing.`, mend: `Add it: ${wanted}.` };
  if (issue.input === null) return { message: `${name} is empty.`, mend: `Write ${wanted} there.` };
  const scalar = typeof issue.input === 'number' || typeof issue.input === 'boolean';
  if (issue.expected === 'string' && scalar) {
    return {
      message: `${name} must be a text, but YAML reads ${show(issue.input)} as a ${typeof issue.input}.`,
      mend: 'Put it in quotes.',
    };
  }
  return { message: `${name} must be ${wanted}.`, mend: `It is ${show(issue.input)} now.` };
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
  record: 'keys with values',
};

function limit(value: number | bigint, origin: string): string {
  if (origin === 'string') return `${value} characters`;
  if (origin === 'array' || origin === 'set') return value === 1 ? 'one entry' : `${value} entries`;
  return String(value);
}

function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'keys with values';
  if (typeof value === 'string') return `"${value.slice(0, 80)}"`;
  return String(value);
}

function problem(
  document: ReadDocument,
  position: { readonly line: number; readonly column: number },
  path: readonly PropertyKey[],
  message: string,
  mend: string,
): Problem {
  return { severity: 'error', file: document.file, ...position, path: pathText(path), message, mend };
}
