/** What became of one event; stored with its delivery and shown by /status. */
export interface Outcome {
  readonly outcome: 'handled' | 'ignored';
  readonly reason: string;
}

export function handled(reason: string): Outcome {
  return { outcome: 'handled', reason };
}

export function ignored(reason: string): Outcome {
  return { outcome: 'ignored', reason };
}
