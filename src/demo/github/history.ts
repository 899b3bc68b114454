/**
 * Commits that this process has made or seen. A commit never changes and its SHA says all that it is, so one memory
 * serves every repository, and questions about ancestry need no git process. What is not known is asked of git.
 */

export interface CommitInfo {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Person;
  readonly committer: Person;
  readonly message: string;
}

export interface Person {
  readonly name: string;
  readonly email: string;
  /** ISO 8601, in UTC, without milliseconds. */
  readonly date: string;
}

/** Against the first parent. */
export interface PathChanges {
  readonly added: readonly string[];
  readonly modified: readonly string[];
  readonly removed: readonly string[];
}

const commits = new Map<string, CommitInfo>();
const changes = new Map<string, PathChanges>();
/** Path of a repository to the commits that are known to be in it. */
const present = new Map<string, Set<string>>();

export function remember(path: string, commit: CommitInfo, changed: PathChanges | null = null): void {
  commits.set(commit.sha, commit);
  if (changed !== null) changes.set(commit.sha, changed);
  markPresent(path, commit.sha);
}

function markPresent(path: string, sha: string): void {
  const known = present.get(path) ?? new Set();
  present.set(path, known.add(sha));
}

/** The commit and all that it stands on. */
export function markAllPresent(path: string, sha: string): void {
  for (const one of ancestry(sha) ?? [sha]) markPresent(path, one);
}

export function isPresent(path: string, sha: string): boolean {
  return present.get(path)?.has(sha) ?? false;
}

export function recall(sha: string): CommitInfo | null {
  return commits.get(sha) ?? null;
}

export function recallChanges(sha: string): PathChanges | null {
  return changes.get(sha) ?? null;
}

/** A commit and its ancestors, each after everything that stands on it; null when one of them is not known. */
export function ancestry(sha: string): readonly string[] | null {
  const done = new Set<string>();
  const waiting: { readonly sha: string; readonly left: boolean }[] = [{ sha, left: false }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.left) done.add(next.sha);
    if (next.left || done.has(next.sha)) continue;
    const commit = commits.get(next.sha);
    if (commit === undefined) return null;
    waiting.push({ sha: next.sha, left: true });
    for (const parent of [...commit.parents].reverse()) waiting.push({ sha: parent, left: false });
  }
  return [...done].reverse();
}
