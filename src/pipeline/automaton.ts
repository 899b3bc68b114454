/**
 * Patterns come from pull requests, so matching simulates the automaton with a set of states: the time is at most
 * number of states times text length, whatever the pattern. Globs and regular expressions share it.
 */
export type State =
  | { readonly kind: 'one'; readonly test: (char: string) => boolean; readonly next: number }
  | { readonly kind: 'split'; readonly next: readonly number[] }
  /** Reads nothing; looks at the characters on both sides, undefined at the ends of the text. */
  | { readonly kind: 'look'; readonly test: Look; readonly next: number }
  | { readonly kind: 'end' };

export type Look = (before: string | undefined, after: string | undefined) => boolean;

export function addState(states: State[], state: State): number {
  return states.push(state) - 1;
}

/** Whether the whole text is read from `start` to an end. */
export function readsWhole(states: readonly State[], start: number, text: string): boolean {
  const chars = Array.from(text);
  const seen = new Uint32Array(states.length);
  let current = [start];
  addReachable(states, { seen, mark: 1 }, current, undefined, chars[0]);
  for (const [at, char] of chars.entries()) {
    const reached: number[] = [];
    for (const index of current) {
      const state = states[index];
      if (state?.kind === 'one' && state.test(char)) reached.push(state.next);
    }
    if (reached.length === 0) return false;
    addReachable(states, { seen, mark: at + 2 }, reached, char, chars[at + 1]);
    current = reached;
  }
  return current.some((index) => states[index]?.kind === 'end');
}

/** Adds all states that can be reached without reading a character; a state marked in `seen` was added before. */
function addReachable(
  states: readonly State[],
  { seen, mark }: { readonly seen: Uint32Array; readonly mark: number },
  reached: number[],
  before?: string,
  after?: string,
): void {
  const open = reached.splice(0);
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (seen[index] === mark) continue;
    seen[index] = mark;
    reached.push(index);
    const state = states[index];
    if (state?.kind === 'split') open.push(...state.next);
    if (state?.kind === 'look' && state.test(before, after)) open.push(state.next);
  }
}

interface Step {
  readonly reached: readonly number[];
  readonly isEnd: boolean;
  readonly next: Map<string, Step>;
}

/** More steps than this are forgotten: what a pattern may keep in memory is bounded too. */
const mostSteps = 10_000;

/**
 * The same for many texts, of an automaton without `look`: what a set of states does with a character is worked out once
 * (SEC-D-18: a filter is held against thousands of paths).
 */
export function readerOf(states: readonly State[], start: number): (text: string) => boolean {
  let known = new Map<string, Step>();
  let steps = 0;
  const stepTo = (reached: number[]): Step => {
    addReachable(states, { seen: new Uint32Array(states.length), mark: 1 }, reached);
    const key = reached.toSorted((a, b) => a - b).join();
    const isEnd = reached.some((index) => states[index]?.kind === 'end');
    const step = known.get(key) ?? { reached, isEnd, next: new Map() };
    known.set(key, step);
    return step;
  };
  const read = (from: Step, char: string): Step => {
    const targets = from.reached.flatMap((index) => {
      const state = states[index];
      return state?.kind === 'one' && state.test(char) ? [state.next] : [];
    });
    const step = stepTo(targets);
    from.next.set(char, step);
    steps += 1;
    return step;
  };
  let first = stepTo([start]);
  return (text) => {
    if (steps > mostSteps) {
      known = new Map();
      steps = 0;
      first = stepTo([start]);
    }
    let step = first;
    for (const char of text) {
      step = step.next.get(char) ?? read(step, char);
      if (step.reached.length === 0) return false;
    }
    return step.isEnd;
  };
}
