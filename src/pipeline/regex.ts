import { addState, readsWhole, type State } from './automaton.ts';
import { parseRegex, RegexError, type RegexItem } from './regex-parse.ts';

export type CompiledRegex =
  | { readonly ok: true; readonly matches: (text: string) => boolean }
  /** Reads on from "cannot be used: ". */
  | { readonly ok: false; readonly problem: string };

/** Characters of a pattern, and parts of it once its quantifiers are written out: they bound depth, time and space. */
const longestPattern = 1000;
const mostParts = 1000;

interface Build {
  readonly states: State[];
  parts: number;
}

/** A Java regular expression for the whole of a value (CP 2.10), without what no set of states can judge. */
export function compileRegex(pattern: string): CompiledRegex {
  if (pattern.length > longestPattern) return { ok: false, problem: `it has more than ${longestPattern} characters` };
  const build: Build = { states: [{ kind: 'end' }], parts: 0 };
  try {
    const start = addItem(build, parseRegex(pattern), 0);
    return { ok: true, matches: (text) => readsWhole(build.states, start, text) };
  } catch (error) {
    if (error instanceof RegexError) return { ok: false, problem: error.message };
    throw error;
  }
}

function addItem(build: Build, item: RegexItem, following: number): number {
  build.parts += 1;
  if (build.parts > mostParts) throw new RegexError('its quantifiers repeat too much');
  switch (item.kind) {
    case 'one':
    case 'look':
      return addState(build.states, { ...item, next: following });
    case 'choice': {
      const next = item.choices.map((items) =>
        items.reduceRight((after, each) => addItem(build, each, after), following),
      );
      return addState(build.states, { kind: 'split', next });
    }
    case 'repeat':
      return addRepeat(build, item, following);
    default:
      return item satisfies never;
  }
}

/** What may come is added behind what must: `a{1,3}` is `a(a(a)?)?`. */
function addRepeat(build: Build, repeat: RegexItem & { kind: 'repeat' }, following: number): number {
  const { item, least, most } = repeat;
  let start = following;
  if (most === Infinity) {
    const next = [following];
    start = addState(build.states, { kind: 'split', next });
    next.push(addItem(build, item, start));
  }
  for (let count = most === Infinity ? least : most; count > 0; count -= 1) {
    start = addItem(build, item, start);
    if (count > least) start = addState(build.states, { kind: 'split', next: [start, following] });
  }
  return start;
}
