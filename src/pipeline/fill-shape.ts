import { z } from 'zod';
import { closest } from './closest.ts';
import { declarationShape, type ShapedDeclaration } from './declaration-shape.ts';
import type { Finding, Path } from './finding.ts';
import { keysOf, shapeAt, unwrap, valueAt } from './shape-at.ts';
import { shapeFindings } from './shape-findings.ts';

/**
 * A declaration whose shape is wrong, judged as far as it can be: what breaks the shape is told, then left out, or filled
 * in where it may not be missing, so that the rules about all the rest can be asked at once.
 */
export interface Filled {
  /** What is wrong with the shape. */
  readonly findings: readonly Finding[];
  /** Undefined when so much is wrong that nothing else can be judged. */
  readonly declaration: ShapedDeclaration | undefined;
  /** Where something was left out or filled in. */
  readonly filled: readonly Path[];
  /** Back to the words of the file, where a key was read as the one that it is nearly or a text was filled in. */
  readonly asWritten: (finding: Finding) => Finding;
}

interface Draft {
  value: unknown;
  readonly filled: Path[];
  readonly renamed: Renamed[];
  /** What stood where a text was filled in. */
  readonly texts: Map<string, string>;
}

interface Renamed {
  readonly at: Path;
  readonly from: string;
  readonly to: string;
}

/** A key that is nearly another hides what lies below it, so each level takes a round. */
const mostRounds = 12;
/** Of one map; looking for what each may mean takes time. */
const mostStrangers = 100;

export function fillShape(value: unknown): Filled {
  const draft: Draft = { value: structuredClone(value), filled: [], renamed: [], texts: new Map() };
  const findings: Finding[] = [];
  let declaration: ShapedDeclaration | undefined;
  for (let round = 1; round <= mostRounds && declaration === undefined; round += 1) {
    const parsed = declarationShape.safeParse(draft.value);
    declaration = parsed.data;
    if (!parsed.error) break;
    const told = shapeFindings(parsed.error, draft.value);
    const found = readAsMeant(draft, parsed.error.issues);
    // What is missing was found under another name.
    const isOpen = ({ path }: { readonly path: readonly PropertyKey[] }) => !found.has(keyOf(path));
    findings.push(...told.filter(isOpen));
    const mended = parsed.error.issues.filter(isOpen).map((issue) => fillOne(draft, issue));
    if (mended.some((could) => !could)) break;
  }
  const asWritten = (finding: Finding): Finding => ({
    ...finding,
    path: writtenPath(finding.path, draft.renamed),
    message: finding.message.replaceAll(/fill\d+/g, (text) => draft.texts.get(text) ?? text),
  });
  return { findings: findings.map(asWritten), declaration, filled: draft.filled, asWritten };
}

/** Strangers are left out, after those that are nearly a known key took its place; answers the places taken. */
function readAsMeant(draft: Draft, issues: readonly z.core.$ZodIssue[]): ReadonlySet<string> {
  const taken = new Set<string>();
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const path = plain(issue.path);
    const parent = valueAt(draft.value, path) as Record<string, unknown>;
    const known = keysOf(shapeAt(path));
    for (const [index, key] of issue.keys.entries()) {
      const meant = index < mostStrangers ? closest(key, known) : undefined;
      if (meant !== undefined && !Object.hasOwn(parent, meant)) {
        parent[meant] = parent[key];
        draft.renamed.push({ at: path, from: key, to: meant });
        taken.add(keyOf([...path, meant]));
      }
      delete parent[key];
    }
  }
  return taken;
}

/** False when there is nothing around the wrong value that could take another one. */
function fillOne(draft: Draft, issue: z.core.$ZodIssue): boolean {
  if (issue.code === 'unrecognized_keys') return true;
  const path = plain(issue.path);
  const parent = valueAt(draft.value, path.slice(0, -1));
  const key = path.at(-1);
  if (key === undefined || typeof parent !== 'object' || parent === null) return false;
  const at = parent as Record<string | number, unknown>;
  const found = at[key];
  const meant = issue.code === 'invalid_key' ? undefined : meantBy(shapeAt(path), found);
  if (meant !== undefined) at[key] = meant;
  else if (issue.code === 'too_big' && Array.isArray(found)) at[key] = found.slice(0, Number(issue.maximum));
  else {
    draft.filled.push(path);
    if (issue.code === 'invalid_key' || isOptional(shapeAt(path))) delete at[key];
    else at[key] = fillerFor(shapeAt(path), draft.filled.length);
    if (typeof found === 'string') draft.texts.set(`fill${draft.filled.length}`, found);
  }
  return true;
}

/** What was surely meant: a number or truth value that stands without quotes, a word in the wrong case. */
function meantBy(wrapped: z.core.$ZodType, found: unknown): string | undefined {
  const shape = unwrap(wrapped);
  if (shape instanceof z.ZodEnum && typeof found === 'string') return closest(found, shape.options.map(String));
  if (!(shape instanceof z.ZodString) || (typeof found !== 'number' && typeof found !== 'boolean')) return undefined;
  return shape.safeParse(String(found)).success ? String(found) : undefined;
}

function plain(path: readonly PropertyKey[]): Path {
  return path.filter((part) => typeof part !== 'symbol');
}

function keyOf(path: readonly PropertyKey[]): string {
  return JSON.stringify(path);
}

function isOptional(shape: z.core.$ZodType): boolean {
  return shape instanceof z.ZodDefault || shape instanceof z.ZodExactOptional;
}

/** A value that the shape takes; texts are told apart by `number`, so that no two are the same name. */
function fillerFor(wrapped: z.core.$ZodType, number: number): unknown {
  const shape = unwrap(wrapped);
  if (shape instanceof z.ZodEnum) return shape.options.at(-1);
  if (shape instanceof z.ZodLiteral) return shape.value;
  if (shape instanceof z.ZodRecord) return {};
  if (shape instanceof z.ZodArray) {
    return shape.safeParse([]).success ? [] : [fillerFor(shape.element, number)];
  }
  if (shape instanceof z.ZodObject) return fillerObject(shape, number);
  const text = `fill${number}`;
  return shape instanceof z.ZodString && shape.safeParse(text).success ? text : fillerRole;
}

const fillerRole = 'arn:aws:iam::000000000000:role/filler';

function fillerObject(shape: z.ZodObject, number: number): Record<string, unknown> {
  const needed = Object.entries(shape.shape).filter(([, inner]) => !isOptional(inner));
  return Object.fromEntries(needed.map(([key, inner]) => [key, fillerFor(inner, number)]));
}

function writtenPath(path: Path, renamed: readonly Renamed[]): Path {
  return path.map((part, index) => {
    const here = keyOf(path.slice(0, index));
    return renamed.find(({ at, to }) => to === part && keyOf(at) === here)?.from ?? part;
  });
}
