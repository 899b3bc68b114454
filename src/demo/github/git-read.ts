/** Reading commits and differences: from memory where they are known, else from git. */
import { git } from './git.ts';
import { ancestry, isPresent, recall, recallChanges, remember, type CommitInfo, type PathChanges } from './history.ts';

const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

export interface ChangedFile {
  readonly path: string;
  readonly previous: string | null;
  readonly sha: string;
  readonly status: 'added' | 'removed' | 'modified' | 'renamed';
  readonly additions: number;
  readonly deletions: number;
}

const format = '%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x1e';

function parseCommit(text: string): CommitInfo {
  const [sha = '', tree = '', parents = '', an = '', ae = '', ad = '', cn = '', ce = '', cd = '', message = ''] =
    text.split('\0');
  const author = { name: an, email: ae, date: utc(ad) };
  const committer = { name: cn, email: ce, date: utc(cd) };
  return { sha, tree, parents: parents.split(' ').filter(Boolean), author, committer, message: message.trimEnd() };
}

function utc(date: string): string {
  return new Date(date).toISOString().replace('.000Z', 'Z');
}

export async function commitInfo(path: string, sha: string): Promise<CommitInfo> {
  const found = recall(sha);
  if (found !== null) return found;
  const [commit] = await log(path, ['-1', sha]);
  if (commit === undefined) throw new Error(`no commit ${sha} in ${path}`);
  return commit;
}

async function log(path: string, range: readonly string[]): Promise<readonly CommitInfo[]> {
  const { out } = await git(path, ['log', '--reverse', `--format=${format}`, ...range]);
  const texts = out.toString().split('\x1e');
  const commits = texts
    .map((text) => text.trimStart())
    .filter(Boolean)
    .map(parseCommit);
  for (const commit of commits) remember(path, commit);
  return commits;
}

/** The full SHA of a commit that exists here; null otherwise. Takes a full or shortened SHA. */
export async function findCommit(path: string, sha: string): Promise<string | null> {
  if (!/^[0-9a-f]{4,40}$/.test(sha)) return null;
  if (isPresent(path, sha)) return sha;
  const { code, out } = await git(path, ['rev-parse', '--verify', '--quiet', `${sha}^{commit}`], {
    allowed: [1, 128],
  });
  return code === 0 ? out.toString().trim() : null;
}

/** Commits of `to` that `from` does not have, oldest first; all of them when `from` is null. */
export async function commitsBetween(path: string, from: string | null, to: string): Promise<readonly CommitInfo[]> {
  const [wanted, had] = [ancestry(to), from === null ? [] : ancestry(from)];
  if (wanted === null || had === null) return log(path, from === null ? [to] : [`${from}..${to}`]);
  const without = new Set(had);
  return Promise.all(
    [...wanted]
      .reverse()
      .filter((sha) => !without.has(sha))
      .map((sha) => commitInfo(path, sha)),
  );
}

export async function mergeBase(path: string, one: string, other: string): Promise<string | null> {
  const [first, second] = [ancestry(one), ancestry(other)];
  if (first !== null && second !== null) {
    const shared = new Set(second);
    return first.find((sha) => shared.has(sha)) ?? null;
  }
  const { code, out } = await git(path, ['merge-base', one, other], { allowed: [1] });
  return code === 0 ? out.toString().trim() : null;
}

/** A file that moved is removed in one place and added in the other. */
export async function pathChanges(path: string, commit: CommitInfo): Promise<PathChanges> {
  const known = recallChanges(commit.sha);
  if (known !== null) return known;
  const files = await changedFiles(path, commit.parents[0] ?? null, commit.sha);
  const named = (status: string) => files.filter((file) => file.status === status).map((file) => file.path);
  const moved = files.filter((file) => file.previous !== null);
  const added = [...named('added'), ...moved.map((file) => file.path)];
  const removed = [...named('removed'), ...moved.map((file) => file.previous ?? '')];
  const changes = { added, modified: named('modified'), removed };
  remember(path, commit, changes);
  return changes;
}

/** Files that differ; `from` null compares with nothing. */
export async function changedFiles(path: string, from: string | null, to: string): Promise<readonly ChangedFile[]> {
  return difference(path, [from ?? emptyTree, to]);
}

/** Files that `head` changed since it left `base`: what a pull request shows. */
export function changedFilesSince(path: string, base: string, head: string): Promise<readonly ChangedFile[]> {
  return difference(path, [`${base}...${head}`]);
}

async function difference(path: string, range: readonly string[]): Promise<readonly ChangedFile[]> {
  const { out } = await git(path, ['diff', '--raw', '--numstat', '-z', '-M', '--no-abbrev', ...range]);
  return parseDifference(out.toString().split('\0'));
}

type Raw = Omit<ChangedFile, 'additions' | 'deletions'>;

/** First the raw lines (`:mode mode sha sha STATUS`, path, and for a rename the new path), then numbers for each. */
function parseDifference(parts: readonly string[]): readonly ChangedFile[] {
  const raws: Raw[] = [];
  let at = 0;
  for (; parts[at]?.startsWith(':') === true; at += 2) {
    const raw = parseRaw(parts, at);
    raws.push(raw);
    if (raw.previous !== null) at += 1;
  }
  return raws.map((raw) => {
    const [additions = '0', deletions = '0'] = (parts[at] ?? '').split('\t');
    at += raw.previous === null ? 1 : 3;
    return { ...raw, additions: Number(additions) || 0, deletions: Number(deletions) || 0 };
  });
}

function parseRaw(parts: readonly string[], at: number): Raw {
  const [, , oldSha = '', newSha = '', letter = ''] = (parts[at] ?? '').split(' ');
  const path = parts[at + 1] ?? '';
  const sha = letter === 'D' ? oldSha : newSha;
  if (letter.startsWith('R')) return { path: parts[at + 2] ?? '', previous: path, sha, status: 'renamed' };
  const status = letter === 'A' ? 'added' : letter === 'D' ? 'removed' : 'modified';
  return { path, previous: null, sha, status };
}
