/** A message about one line of the repository, found in a log or a test report. */
export interface Finding {
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  readonly column?: number;
  readonly level: 'notice' | 'warning' | 'failure';
  readonly title?: string;
  readonly message: string;
}

/** Which file of the repository a path in some output means; undefined for none, or for more than one. */
export type ResolvePath = (written: string) => string | undefined;

/**
 * Takes absolute paths below the source, relative paths, and the ends of paths that only one file has.
 * @param roots directories as commands saw them; their files have the given relative paths.
 */
export function createPathResolver(paths: readonly string[], roots: readonly string[]): ResolvePath {
  const known = new Set(paths);
  const byName = new Map<string, string[]>();
  for (const path of paths) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const same = byName.get(name);
    if (same === undefined) byName.set(name, [path]);
    else same.push(path);
  }
  return (written) => {
    const plain = written.replace(/^file:\/\//, '').replaceAll('\\', '/');
    const root = roots.find((directory) => plain.startsWith(`${directory}/`));
    const relative = (root === undefined ? plain : plain.slice(root.length + 1)).replace(/^(\.\/)+/, '');
    if (known.has(relative)) return relative;
    if (root !== undefined || relative.startsWith('/')) return undefined;
    const name = relative.slice(relative.lastIndexOf('/') + 1);
    const candidates = (byName.get(name) ?? []).filter((path) => path.endsWith(`/${relative}`));
    return candidates.length === 1 ? candidates[0] : undefined;
  };
}
