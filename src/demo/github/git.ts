/** Git's plumbing, one process for each call. Nothing here reads the machine's git configuration. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';

export const zeroSha = '0'.repeat(40);
export const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

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

export function gitEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', HOME: '/nonexistent' };
}

async function read(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What git printed; a non-zero exit is an error unless it is listed in `allowed`. */
export async function git(
  path: string,
  args: readonly string[],
  options: { input?: string | Uint8Array; env?: NodeJS.ProcessEnv; allowed?: readonly number[] } = {},
): Promise<{ readonly code: number; readonly out: Buffer }> {
  const child = spawn('git', [`--git-dir=${path}`, ...args], { env: { ...gitEnvironment(), ...options.env } });
  const closed = once(child, 'close');
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [out, problem] = await Promise.all([read(child.stdout), read(child.stderr)]);
  const [code] = (await closed) as [number | null];
  if (code !== 0 && !(options.allowed ?? []).includes(code ?? -1)) {
    throw new Error(`git ${args.join(' ')} in ${path} ended with ${code}: ${problem.toString()}`);
  }
  return { code: code ?? -1, out };
}

/** Protocol version 0 refuses a fetch by SHA unless the server says otherwise; GitHub does. */
export async function createBare(path: string, defaultBranch: string): Promise<void> {
  await git(path, ['init', '--quiet', '--bare', '--template=', `--initial-branch=${defaultBranch}`, path]);
  await appendFile(
    `${path}/config`,
    '[uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n[gc]\n\tauto = 0\n',
  );
}

/** Makes the commit and moves its ref there, forward or not. */
export async function writeCommit(path: string, commit: NewCommit): Promise<string> {
  const input = Buffer.concat([
    Buffer.from(
      `commit ${commit.ref}\nmark :1\nauthor ${signature(commit.author)}\ncommitter ${signature(commit.committer)}\n`,
    ),
    data(commit.message),
    Buffer.from(commit.parent === null ? '' : `from ${commit.parent}\n`),
    ...Object.entries(commit.files).map(([file, content]) => fileChange(file, content)),
    Buffer.from('\nget-mark :1\ndone\n'),
  ]);
  const { out } = await git(path, ['fast-import', '--quiet', '--force', '--done', '--date-format=raw'], { input });
  return out.toString().trim();
}

function signature(by: Signature): string {
  return `${by.name} <${by.email}> ${Math.floor(by.at.getTime() / 1000)} +0000`;
}

function data(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')]);
}

function fileChange(file: string, content: FileContent): Buffer {
  const path = `"${file.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
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
  return out.toString().trim();
}

export async function mergedTree(path: string, base: string, head: string): Promise<string | null> {
  const { code, out } = await git(path, ['merge-tree', '--write-tree', '--no-messages', base, head], { allowed: [1] });
  return code === 0 ? out.toString().trim() : null;
}

/** Brings a commit of another repository into this one, as GitHub shares objects between forks. */
export async function copyCommit(from: string, to: string, sha: string, ref: string): Promise<void> {
  await git(to, ['fetch', '--quiet', '--no-tags', from, `+${sha}:${ref}`]);
}
