import { z } from 'zod';
import { declarationShape } from './declaration-shape.ts';
import type { Finding, Path } from './finding.ts';
import { closest } from './closest.ts';

/** What zod found, in CodePipeline's words (CP 1.3): one finding for each violation. */
export function shapeFindings(error: z.ZodError, value: unknown): Finding[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.filter((part) => typeof part !== 'symbol');
    if (issue.code === 'unrecognized_keys') return issue.keys.slice(0, 100).map((key) => unknownKey(path, key));
    if (issue.code === 'invalid_key') return [violation(path, 'Map key must have length less than or equal to 50', '')];
    const { constraint, mend } = explain(issue, path, valueAt(value, path));
    return [violation(path, constraint, mend)];
  });
}

/** The whole answer of the service: all violations in one message. */
export function validationMessage(findings: readonly { readonly message: string }[]): string {
  const errors = findings.length === 1 ? 'validation error' : 'validation errors';
  return `${findings.length} ${errors} detected: ${findings.map((finding) => finding.message).join('; ')}`;
}

function violation(path: Path, constraint: string, mend: string): Finding {
  const message = `Value at '${wirePath(path)}' failed to satisfy constraint: ${constraint}`;
  // Bounds of values have a rule of their own; everything else is the table of fields.
  const rule = path.at(-2) === 'configuration' && typeof path.at(-1) === 'string' ? 'CP-D-9' : 'CP-1.2';
  return { path, severity: 'error', rule, exception: 'ValidationException', message, mend };
}

/** Lists are counted from 1 and marked with `.member`. */
function wirePath(path: Path): string {
  return ['pipeline', ...path.map((part) => (typeof part === 'number' ? `${part + 1}.member` : part))].join('.');
}

function explain(issue: z.core.$ZodIssue, path: Path, found: unknown): { constraint: string; mend: string } {
  const key = String(path.at(-1) ?? 'declaration');
  const isConfiguration = path.at(-2) === 'configuration';
  switch (issue.code) {
    case 'invalid_type':
      return explainType(issue.expected, key, found);
    case 'too_small':
    case 'too_big':
      return isConfiguration ? explainValue(key) : explainBound(issue, key);
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

function explainType(expected: string, key: string, found: unknown): { constraint: string; mend: string } {
  if (found === undefined || found === null) {
    const mend =
      key === 'declaration' ? 'Write a declaration, as `aws codepipeline get-pipeline` prints it.' : `Add "${key}".`;
    return { constraint: 'Member must not be null', mend };
  }
  const wanted =
    expected === 'record' || expected === 'object' ? 'a map' : `a${expected === 'int' ? 'n' : ''} ${expected}`;
  const isQuotable = expected === 'string' && (typeof found === 'number' || typeof found === 'boolean');
  const mend = isQuotable ? `Put it in quotes: ${key}: "${String(found)}".` : `Write ${key} as ${wanted}.`;
  return { constraint: `Member must be ${wanted}`, mend };
}

/** CP-D-9. */
function explainValue(key: string): { constraint: string; mend: string } {
  const bounds =
    'Member must have length less than or equal to 50000, Member must have length greater than or equal to 1';
  return {
    constraint: `Map value must satisfy constraint: [${bounds}]`,
    mend: `Give ${key} a value of 1 to 50000 characters, or leave the key out.`,
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
  const unit = issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : '';
  return {
    constraint: `Member must have ${what} ${word} than or equal to ${bound}`,
    mend: `Give ${key} ${most} ${bound}${unit}.`,
  };
}

function unknownKey(path: Path, key: string): Finding {
  const known = keysAt(path);
  const near = closest(key, known);
  const mend =
    near === undefined
      ? `Leave it out; known here: ${known.join(', ')}.`
      : near.toLowerCase() === key.toLowerCase()
        ? `Write "${near}": a declaration uses the spelling of get-pipeline, not of CloudFormation.`
        : `Did you mean "${near}"?`;
  const message = `Unknown parameter in ${wirePath(path)}: "${key}"`;
  return { path: [...path, key], severity: 'error', rule: 'CP-1.2', exception: 'ValidationException', message, mend };
}

/** The keys that the shape knows at a place. */
function keysAt(path: Path): string[] {
  let shape: z.core.$ZodType = declarationShape;
  for (const part of path) shape = inner(unwrap(shape), part);
  const found = unwrap(shape);
  return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
}

function inner(shape: z.core.$ZodType, part: string | number): z.core.$ZodType {
  if (shape instanceof z.ZodArray) return shape.element;
  if (shape instanceof z.ZodRecord) return shape.valueType;
  return shape instanceof z.ZodObject ? (shape.shape[part] ?? shape) : shape;
}

function unwrap(shape: z.core.$ZodType): z.core.$ZodType {
  if (shape instanceof z.ZodDefault || shape instanceof z.ZodExactOptional) return unwrap(shape.unwrap());
  return shape;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, part) => {
    if (typeof at !== 'object' || at === null) return undefined;
    return (at as Record<string | number, unknown>)[part];
  }, value);
}
