/** Reading commits, files and differences. A commit never changes, so each is read once. */
import { emptyTree, git } from './git.ts';

export interface CommitInfo {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Person;
  readonly committer: Person;
  readonly message: string;
}

interface Person {
  readonly name: string;
  readonly email: string;
  /** ISO 8601 */
  readonly date: string;
}

export interface ChangedFile {
  readonly path: string;
  readonly previous: string | null;
  readonly sha: string;
  readonly status: 'added' | 'removed' | 'modified' | 'renamed';
  readonly additions: number;
  readonly deletions: number;
}

const format = '%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x1e';
const known = new Map<string, CommitInfo>();

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
  const found = known.get(`${path} ${sha}`);
  if (found !== undefined) return found;
  const { out } = await git(path, ['show', '-s', `--format=${format}`, sha]);
  const commit = parseCommit(out.toString().split('\x1e')[0] ?? '');
  known.set(`${path} ${sha}`, commit);
  return commit;
}

/** The full SHA of a commit that exists here; null otherwise. Takes a full or shortened SHA. */
export async function findCommit(path: string, sha: string): Promise<string | null> {
  if (!/^[0-9a-f]{4,40}$/.test(sha)) return null;
  if (known.has(`${path} ${sha}`)) return sha;
  const { code, out } = await git(path, ['rev-parse', '--verify', '--quiet', `${sha}^{commit}`], {
    allowed: [1, 128],
  });
  return code === 0 ? out.toString().trim() : null;
}

/** Commits of `to` that `from` does not have, oldest first; all of them when `from` is null. */
export async function commitsBetween(path: string, from: string | null, to: string): Promise<readonly CommitInfo[]> {
  const range = from === null ? [to] : [`${from}..${to}`];
  const { out } = await git(path, ['log', '--reverse', `--format=${format}`, ...range]);
  const commits = out
    .toString()
    .split('\x1e')
    .map((text) => text.trimStart())
    .filter(Boolean)
    .map(parseCommit);
  for (const commit of commits) known.set(`${path} ${commit.sha}`, commit);
  return commits;
}

export async function mergeBase(path: string, one: string, other: string): Promise<string | null> {
  const { code, out } = await git(path, ['merge-base', one, other], { allowed: [1] });
  return code === 0 ? out.toString().trim() : null;
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

export type Entry =
  | { readonly kind: 'file'; readonly sha: string; readonly content: Buffer }
  | { readonly kind: 'directory'; readonly entries: readonly TreeEntry[] }
  /** Leads out of the repository or to nothing. */
  | { readonly kind: 'link'; readonly sha: string; readonly target: string };

export interface TreeEntry {
  readonly mode: string;
  readonly type: 'blob' | 'tree' | 'commit';
  readonly sha: string;
  readonly size: number;
  readonly name: string;
}

/** What stands at a path of a commit, links followed; null when nothing does. The empty path is the root. */
export async function entryAt(path: string, commit: string, file: string): Promise<Entry | null> {
  if (file.includes('\n')) return null;
  const { sha, type, content } = await catFile(path, `${commit}:${file}`, ['--follow-symlinks']);
  if (type === 'blob') return { kind: 'file', sha, content };
  if (sha === 'symlink' || sha === 'dangling' || sha === 'loop') {
    const link = await catFile(path, `${commit}:${file}`);
    return { kind: 'link', sha: link.sha, target: link.content.toString() };
  }
  if (type !== 'tree') return null;
  const listed = await git(path, ['ls-tree', '-z', '-l', sha]);
  return { kind: 'directory', entries: listed.out.toString().split('\0').filter(Boolean).map(parseTreeEntry) };
}

/** `SHA type size`, a line feed and the content; for what is not there, words in place of the SHA. */
async function catFile(path: string, name: string, options: readonly string[] = []) {
  const { out } = await git(path, ['cat-file', '--batch', ...options], { input: `${name}\n` });
  const end = out.indexOf(10);
  const [sha = '', type = '', size = '0'] = out.subarray(0, end).toString().split(' ');
  return { sha, type, content: out.subarray(end + 1, end + 1 + Number(size)) };
}

function parseTreeEntry(line: string): TreeEntry {
  const [head = '', name = ''] = line.split('\t');
  const [mode = '', type = '', sha = '', size = '0'] = head.split(/ +/);
  return { mode, type: type as TreeEntry['type'], sha, size: Number(size) || 0, name };
}
