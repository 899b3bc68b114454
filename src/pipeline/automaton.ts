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
