import { addState, readerOf, type State } from './automaton.ts';
import { parseGlob, type GlobItem } from './glob-parse.ts';

/** CodePipeline's glob dialect (CP 1.8): Java NIO style, case-sensitive, whole text. */

/** A pattern that `globProblem` complains about matches only its own text. */
export function compileGlob(pattern: string): (text: string) => boolean {
  const parsed = parseGlob(pattern);
  if (!parsed.ok) return (text) => text === pattern;
  const states: State[] = [{ kind: 'end' }];
  const start = addItems(states, parsed.items, 0);
  return readerOf(states, start);
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
      return addState(states, { kind: 'one', test: item.test, next });
    case 'any': {
      const targets = [next];
      const split = addState(states, { kind: 'split', next: targets });
      targets.push(addState(states, { kind: 'one', test: item.test, next: split }));
      return split;
    }
    case 'choice':
      return addState(states, { kind: 'split', next: item.choices.map((choice) => addItems(states, choice, next)) });
    default:
      return item satisfies never;
  }
}
