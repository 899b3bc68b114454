import type { Patterns } from './definition.ts';
import { compileGlob } from './glob.ts';

/** Includes and excludes judged with the reason in words (CP-D-31, CP-D-34, CP-D-35). */
export interface Judgement {
  readonly matches: boolean;
  readonly why: string;
  readonly warnings: readonly string[];
}

/** AWS looks at no more than this many changed files (CP-D-35). */
const filesThatAwsLooksAt = 100;

/** Exclude beats include; without includes everything else matches (CP-D-31). */
export function judgeName(what: string, patterns: Patterns, name: string): Judgement {
  const excluded = patterns.excludes?.find((pattern) => compileGlob(pattern)(name));
  if (excluded !== undefined) return judged(false, `${what} ${quote(name)} is excluded by ${quote(excluded)}`);
  if (!patterns.includes) return judged(true, `${what} ${quote(name)} is not filtered out`);
  const included = patterns.includes.find((pattern) => compileGlob(pattern)(name));
  return included === undefined
    ? judged(false, `${what} ${quote(name)} is not in includes ${list(patterns.includes)}`)
    : judged(true, `${what} ${quote(name)} matches ${quote(included)}`);
}

/** Each file is judged alone; one that is included and not excluded is enough (CP-D-34). */
export function judgeFiles(patterns: Patterns, paths: readonly string[]): Judgement {
  const excludes = (patterns.excludes ?? []).map(compileGlob);
  const includes = patterns.includes?.map(compileGlob);
  const warnings =
    paths.length > filesThatAwsLooksAt
      ? [`AWS would look at only ${filesThatAwsLooksAt} of the ${paths.length} changed files; all were judged`]
      : [];
  const hit = paths.find(
    (path) => !excludes.some((test) => test(path)) && (includes?.some((test) => test(path)) ?? true),
  );
  return hit === undefined
    ? { matches: false, why: whyNoFile(patterns, paths), warnings }
    : { matches: true, why: `${quote(hit)} changed`, warnings };
}

function whyNoFile(patterns: Patterns, paths: readonly string[]): string {
  if (paths.length === 0) return 'no file changed';
  const excluded = patterns.excludes ? `excluded by ${list(patterns.excludes)}` : '';
  if (!patterns.includes) return `every changed file is ${excluded}`;
  return `no file under ${list(patterns.includes)} changed${excluded && ` that is not ${excluded}`}`;
}

/** Outside text, safe inside one line of Markdown. */
export function quote(text: string): string {
  const plain = text.replaceAll(/[`\p{Cc}]/gu, "'");
  return `\`${plain.length > 120 ? `${plain.slice(0, 119)}…` : plain}\``;
}

function list(patterns: readonly string[]): string {
  return patterns.map(quote).join(', ');
}

function judged(matches: boolean, why: string): Judgement {
  return { matches, why, warnings: [] };
}
