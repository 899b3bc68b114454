export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where a path stands in a file (1-based); for a path that is not there, its nearest parent. */
export type Locate = (path: readonly PropertyKey[]) => Position;
