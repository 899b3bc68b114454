const turns = new Map<string, Promise<unknown>>();

/** One after the other, for each directory of this process. */
export async function inTurn<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(directory) ?? Promise.resolve()).then(work, work);
  turns.set(directory, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(directory) === turn) turns.delete(directory);
  }
}
