import { parseGlob, type GlobItem } from './glob-parse.ts';

/**
 * CodePipeline's glob dialect (CP 1.8): Java NIO style, case-sensitive, whole text.
 * Patterns come from pull requests, so matching simulates the automaton with a set of states: the time is at most
 * pattern length times text length, whatever the pattern.
 */

type State =
  | { readonly kind: 'one'; readonly test: (char: string) => boolean; readonly next: number }
  | { readonly kind: 'split'; readonly next: number[] }
  | { readonly kind: 'end' };

/** A pattern that `globProblem` complains about matches only its own text. */
export function compileGlob(pattern: string): (text: string) => boolean {
  const parsed = parseGlob(pattern);
  if (!parsed.ok) return (text) => text === pattern;
  const states: State[] = [{ kind: 'end' }];
  const start = addItems(states, parsed.items, 0);
  return (text) => run(states, start, text);
}

/** Why a pattern is not legal, or undefined. */
export function globProblem(pattern: string): string | undefined {
  const parsed = parseGlob(pattern);
  return parsed.ok ? undefined : parsed.problem;
}

function addItems(states: State[], items: readonly GlobItem[], next: number): number {
  return items.reduceRight((following, item) => addItem(states, item, following), next);
}

function addItem(states: State[], item: GlobItem, next: number): number {
  switch (item.kind) {
    case 'one':
      return add(states, { kind: 'one', test: item.test, next });
    case 'any': {
      const targets = [next];
      const split = add(states, { kind: 'split', next: targets });
      targets.push(add(states, { kind: 'one', test: item.test, next: split }));
      return split;
    }
    case 'choice':
      return add(states, { kind: 'split', next: item.choices.map((choice) => addItems(states, choice, next)) });
    default:
      return item satisfies never;
  }
}

function add(states: State[], state: State): number {
  return states.push(state) - 1;
}

function run(states: readonly State[], start: number, text: string): boolean {
  let current = closure(states, [start]);
  for (const char of text) {
    if (current.size === 0) return false;
    const reached: number[] = [];
    for (const index of current) {
      const state = states[index];
      if (state?.kind === 'one' && state.test(char)) reached.push(state.next);
    }
    current = closure(states, reached);
  }
  return current.has(0);
}

/** All states that can be reached without reading a character. */
function closure(states: readonly State[], from: number[]): Set<number> {
  const seen = new Set<number>();
  const open = from;
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (seen.has(index)) continue;
    seen.add(index);
    const state = states[index];
    if (state?.kind === 'split') open.push(...state.next);
  }
  return seen;
}
