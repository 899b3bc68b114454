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

/** One report group of a build (CP-B-10). */
export interface TestReport {
  readonly group: string;
  readonly format: string;
  /** 0 for coverage. */
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly FailedTest[];
  /** Percent of lines, for coverage formats. */
  readonly coverage?: number;
  /** What of the group could not be read, in words. */
  readonly problems: readonly string[];
}

export interface FailedTest {
  readonly name: string;
  readonly message: string;
  /** As the report has it; not yet looked up in the repository. */
  readonly file?: string;
  readonly line?: number;
  /** Stack or details, for finding the line. */
  readonly details: string;
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
    byName.set(name, [...(byName.get(name) ?? []), path]);
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
