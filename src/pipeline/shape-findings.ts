import type { z } from 'zod';
import type { Finding, Path } from './finding.ts';
import { valueAt, wirePath } from './shape-at.ts';
import { unknownKey } from './unknown-key.ts';

/** What zod found, in CodePipeline's words (CP 1.3): one finding for each violation. */
export function shapeFindings(error: z.ZodError, value: unknown): Finding[] {
  return error.issues.filter(isNotNarrowed).flatMap((issue) => {
    const path = issue.path.filter((part) => typeof part !== 'symbol');
    if (issue.code === 'unrecognized_keys') return issue.keys.slice(0, 100).map((key) => unknownKey(path, key));
    if (issue.code === 'invalid_key') return [invalidKey(path, issue.issues)];
    const { constraint, mend } = explain(issue, path, valueAt(value, path));
    return [violation(path, constraint, mend)];
  });
}

/** A number beyond what is exact breaks two bounds; the narrower one helps. */
function isNotNarrowed(issue: z.core.$ZodIssue, at: number, all: readonly z.core.$ZodIssue[]): boolean {
  const next = all[at + 1];
  return issue.code !== 'too_big' || next?.code !== 'too_big' || next.path.join('.') !== issue.path.join('.');
}

function violation(path: Path, constraint: string, mend: string): Finding {
  const message = `Value at '${wirePath(path)}' failed to satisfy constraint: ${constraint}`;
  // Bounds of values have a rule of their own; everything else is the table of fields.
  const rule = path.at(-2) === 'configuration' && typeof path.at(-1) === 'string' ? 'CP-D-9' : 'CP-1.2';
  return { path, severity: 'error', rule, exception: 'ValidationException', message, mend };
}

function explain(issue: z.core.$ZodIssue, path: Path, found: unknown): { constraint: string; mend: string } {
  const key = nameOf(path);
  if (found === undefined || found === null) return explainNothing(path, found);
  switch (issue.code) {
    case 'invalid_type':
      return explainType(issue.expected, key, found);
    case 'too_small':
    case 'too_big':
      return path.at(-2) === 'configuration' ? explainValue(path, key) : explainBound(issue, key);
    case 'invalid_value':
      return {
        constraint: `Member must satisfy enum value set: [${issue.values.join(', ')}]`,
        mend: `Write ${key} as one of ${issue.values.join(', ')}.`,
      };
    case 'invalid_format': {
      const pattern = (issue.pattern ?? issue.format).replace(/^\/\^?|\$?\/$/g, '');
      return {
        constraint: `Member must satisfy regular expression pattern: ${pattern}`,
        mend: Object.hasOwn(examples, key)
          ? `Write it as in ${examples[key]}.`
          : `Write ${key} so that it fits ${pattern}.`,
      };
    }
    default:
      return { constraint: issue.message, mend: `Mend ${key}.` };
  }
}

/** For patterns that say little to who reads them. */
const examples: Readonly<Record<string, string>> = {
  roleArn: 'arn:aws:iam::111122223333:role/pipeline',
  location: 'my-artifact-bucket',
};

/** What a person calls the place: its key, or which entry of a list. */
function nameOf(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return 'the declaration';
  return typeof last === 'number' ? `entry ${last + 1} of ${nameOf(path.slice(0, -1))}` : last;
}

function explainNothing(path: Path, found: null | undefined): { constraint: string; mend: string } {
  const mend =
    path.length === 0
      ? 'Write a declaration, as `aws codepipeline get-pipeline` prints it.'
      : found === undefined
        ? `Add "${nameOf(path)}".`
        : `Give ${nameOf(path)} a value, or leave it out.`;
  return { constraint: 'Member must not be null', mend };
}

const kindsOfValue: Readonly<Record<string, string>> = {
  record: 'a map',
  object: 'a map',
  array: 'a list',
  int: 'a whole number',
};

function explainType(expected: string, key: string, found: unknown): { constraint: string; mend: string } {
  const wanted = (Object.hasOwn(kindsOfValue, expected) ? kindsOfValue[expected] : undefined) ?? `a ${expected}`;
  const isQuotable = expected === 'string' && (typeof found === 'number' || typeof found === 'boolean');
  const mend = isQuotable
    ? `Put it in quotes: "${String(found)}".`
    : expected === 'object' && typeof found === 'string' && key.endsWith('Artifacts')
      ? `Write it as { "name": "${found}" }.`
      : expected === 'array' && typeof found === 'string'
        ? `Write ${key} as a list: ["${found}"].`
        : `Write ${key} as ${wanted}.`;
  return { constraint: `Member must be ${wanted}`, mend };
}

/** CP-D-9; values of rules are shorter (CP 1.2). */
function explainValue(path: Path, key: string): { constraint: string; mend: string } {
  const most = path.includes('rules') ? 10_000 : 50_000;
  const bounds = `Member must have length less than or equal to ${most}, Member must have length greater than or equal to 1`;
  return {
    constraint: `Map value must satisfy constraint: [${bounds}]`,
    mend: `Give ${key} a value of 1 to ${most} characters, or leave the key out.`,
  };
}

function explainBound(
  issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
  key: string,
): { constraint: string; mend: string } {
  const bound = issue.code === 'too_small' ? Number(issue.minimum) : Number(issue.maximum);
  const word = issue.code === 'too_small' ? 'greater' : 'less';
  const what = issue.origin === 'string' || issue.origin === 'array' ? 'length' : 'value';
  const most = issue.code === 'too_small' ? 'at least' : 'at most';
  const [one, many] = issue.origin === 'string' ? [' character', ' characters'] : [' entry', ' entries'];
  const unit = what === 'value' ? '' : bound === 1 ? one : many;
  return {
    constraint: `Member must have ${what} ${word} than or equal to ${bound}`,
    mend: `Give ${key} ${most} ${bound}${unit}.`,
  };
}

/** Keys of configurations and regions have bounds of their own. */
function invalidKey(path: Path, issues: readonly z.core.$ZodIssue[]): Finding {
  const [issue] = issues;
  const bound = issue?.code === 'too_small' || issue?.code === 'too_big' ? explainBound(issue, 'this key') : undefined;
  return violation(path, (bound?.constraint ?? 'Member must be a key').replace('Member', 'Map key'), bound?.mend ?? '');
}
