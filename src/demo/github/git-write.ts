/** Making commits. What is made here is remembered, so that hardly anything has to be read again. */
import { git, writeLooseRef } from './git.ts';
import { markAllPresent, remember, type PathChanges, type Person } from './history.ts';

/** null removes the file. */
export type FileContent = string | Uint8Array | null | { readonly content: string | Uint8Array; readonly mode: string };
export type Files = Readonly<Record<string, FileContent>>;

export interface Signature {
  readonly name: string;
  readonly email: string;
  readonly at: Date;
}

export interface NewCommit {
  readonly ref: string;
  readonly parent: string | null;
  readonly author: Signature;
  readonly committer: Signature;
  readonly message: string;
  readonly files: Files;
}

/** Makes the commit and moves its ref there, forward or not, in one process. */
export async function writeCommit(path: string, commit: NewCommit): Promise<string> {
  const names = Object.keys(commit.files);
  const before = commit.parent === null ? [] : names.map((name) => `ls ${commit.parent} ${quoted(name)}\n`);
  const after = names.map((name) => `ls :1 ${quoted(name)}\n`);
  const input = Buffer.concat([
    Buffer.from(before.join('')),
    ...commitCommand(commit),
    Buffer.from(`\nget-mark :1\nls :1 ""\n${after.join('')}done\n`),
  ]);
  const { out } = await git(path, ['fast-import', '--quiet', '--force', '--done', '--date-format=raw'], { input });
  const lines = out.toString().split('\n');
  const were = commit.parent === null ? names.map(() => 'missing') : lines.splice(0, names.length);
  const [sha = '', root = ''] = lines.splice(0, 2);
  const parents = commit.parent === null ? [] : [commit.parent];
  keep(path, { sha, tree: root.split(/\s/)[2] ?? '', parents, ...commit }, changesOf(names, were, lines));
  return sha;
}

function commitCommand(commit: NewCommit): readonly Buffer[] {
  const people = `author ${signature(commit.author)}\ncommitter ${signature(commit.committer)}\n`;
  return [
    Buffer.from(`commit ${commit.ref}\nmark :1\n${people}`),
    data(commit.message),
    Buffer.from(commit.parent === null ? '' : `from ${commit.parent}\n`),
    ...Object.entries(commit.files).map(([file, content]) => fileChange(file, content)),
  ];
}

/** From lines `mode type sha<TAB>path` or `missing path`; null when a folder took part and files must be compared. */
function changesOf(names: readonly string[], were: readonly string[], are: readonly string[]): PathChanges | null {
  const changes = { added: [] as string[], modified: [] as string[], removed: [] as string[] };
  for (const [at, name] of names.entries()) {
    const [was = '', is = ''] = [were[at], are[at]].map((line) => line?.split('\t')[0]);
    if (/^\d+ tree/.test(was) || /^\d+ tree/.test(is)) return null;
    if (was === is || (was.startsWith('missing') && is.startsWith('missing'))) continue;
    if (was.startsWith('missing')) changes.added.push(name);
    else if (is.startsWith('missing')) changes.removed.push(name);
    else changes.modified.push(name);
  }
  return changes;
}

interface Made extends Pick<NewCommit, 'author' | 'committer' | 'message'> {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
}

function keep(path: string, made: Made, changes: PathChanges | null): void {
  const { sha, tree, parents, author, committer, message } = made;
  const info = { sha, tree, parents, author: person(author), committer: person(committer), message: message.trimEnd() };
  remember(path, info, changes);
}

function person({ name, email, at }: Signature): Person {
  return { name, email, date: at.toISOString().replace(/\.\d+Z$/, 'Z') };
}

function signature(by: Signature): string {
  return `${by.name} <${by.email}> ${Math.floor(by.at.getTime() / 1000)} +0000`;
}

function data(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')]);
}

function quoted(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

function fileChange(file: string, content: FileContent): Buffer {
  const path = quoted(file);
  if (content === null) return Buffer.from(`D ${path}\n`);
  const plain = typeof content === 'string' || content instanceof Uint8Array;
  const mode = plain ? '100644' : content.mode;
  return Buffer.concat([Buffer.from(`M ${mode} inline ${path}\n`), data(plain ? content : content.content)]);
}

/** A merge commit of `base` and `head`; null when they conflict. */
export async function writeMerge(
  path: string,
  merge: {
    base: string;
    head: string;
    parents: readonly string[];
    author: Signature;
    committer: Signature;
    message: string;
  },
): Promise<string | null> {
  const tree = await mergedTree(path, merge.base, merge.head);
  if (tree === null) return null;
  const stamp = (at: Date) => `${Math.floor(at.getTime() / 1000)} +0000`;
  const parents = merge.parents.flatMap((parent) => ['-p', parent]);
  const env = {
    GIT_AUTHOR_NAME: merge.author.name,
    GIT_AUTHOR_EMAIL: merge.author.email,
    GIT_AUTHOR_DATE: stamp(merge.author.at),
    GIT_COMMITTER_NAME: merge.committer.name,
    GIT_COMMITTER_EMAIL: merge.committer.email,
    GIT_COMMITTER_DATE: stamp(merge.committer.at),
  };
  const { out } = await git(path, ['commit-tree', tree, ...parents, '-m', merge.message], { env });
  const sha = out.toString().trim();
  keep(path, { ...merge, sha, tree }, null);
  return sha;
}

export async function mergedTree(path: string, base: string, head: string): Promise<string | null> {
  const { code, out } = await git(path, ['merge-tree', '--write-tree', '--no-messages', base, head], { allowed: [1] });
  return code === 0 ? out.toString().trim() : null;
}

/** Brings a commit of another repository into this one, as GitHub shares objects between forks. */
export async function copyCommit(from: string, to: string, sha: string, ref: string): Promise<void> {
  await git(to, ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', from, sha]);
  await writeLooseRef(to, ref, sha);
  markAllPresent(to, sha);
}
