/** Files and folders of a commit. */
import { git } from './git.ts';

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
