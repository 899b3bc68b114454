/** The same numbers for the same seed. */
export function seeded(from: number): () => number {
  let state = from;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 12)) >>> 0) / 0x1_0000_0000;
  };
}
