import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { TransientError, UserError } from '../errors.ts';
import { readGit, runGit, type GitCall, type GitResult } from './git.ts';

/**
 * One bare repository per GitHub repository under `<home>/repositories`, named by its numeric id. Commits are fetched by
 * their full SHA and kept under refs of our own. Only one fetch at a time works on a mirror.
 */
export interface Mirror {
  /** Makes sure that the commit is here. Throws UserError when GitHub does not have it or does not let us. */
  fetch(sha: string, access: { readonly url: string; readonly token: string }, signal: AbortSignal): Promise<void>;
  describe(sha: string): Promise<CommitFacts>;
  /**
   * The whole tree of a commit as ZIP: no `.git`, no submodules, nothing left out or rewritten by attributes. Not packed,
   * because packing takes longer than everything else on the way to the first command (decision 0040).
   */
  archive(sha: string, signal: AbortSignal): Readable;
  /** A clone at the commit in an empty directory, whose remote `origin` is named `url`. */
  clone(sha: string, url: string, directory: string): Promise<void>;
}

export interface CommitFacts {
  /** ISO 8601 with the author's offset. */
  readonly authorDate: string;
  readonly message: string;
}

export interface MirrorOptions {
  /** With all history and tags, for builds that need a clone; a mirror of its own, because the other one is shallow. */
  readonly whole?: boolean;
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
}

const fetchTimeoutMs = 15 * 60_000;
const localTimeoutMs = 5 * 60_000;
const locks = new Map<string, Promise<unknown>>();

export async function openMirror(home: string, repositoryId: number, options: MirrorOptions): Promise<Mirror> {
  if (!Number.isSafeInteger(repositoryId)) throw new Error(`not a repository id: ${String(repositoryId)}`);
  const whole = options.whole ?? false;
  const directory = join(home, 'repositories', `${repositoryId}${whole ? '-whole' : ''}.git`);
  const call = { path: options.path, environment: options.environment };
  const git = (args: readonly string[], more: Partial<GitCall> = {}): Promise<GitResult> =>
    runGit({ args: ['--git-dir', directory, ...args], ...call, timeoutMs: localTimeoutMs, ...more });
  await exclusively(directory, () => initialize(directory, git));
  return {
    fetch: (sha, access, signal) =>
      exclusively(directory, () => fetchCommit(git, directory, { sha: checkSha(sha), access, whole, signal })),
    describe: (sha) => describeCommit(git, checkSha(sha)),
    archive: (sha, signal) =>
      readGit({
        args: ['--git-dir', directory, 'archive', '--format=zip', '-0', checkSha(sha)],
        ...call,
        timeoutMs: localTimeoutMs,
        signal,
      }),
    clone: (sha, url, to) =>
      cloneCommit({ ...call, timeoutMs: localTimeoutMs, protocols: 'file' }, directory, {
        sha: checkSha(sha),
        url,
        to,
      }),
  };
}

type Git = (args: readonly string[], more?: Partial<GitCall>) => Promise<GitResult>;

async function initialize(directory: string, git: Git): Promise<void> {
  if ((await stat(join(directory, 'penstock-ready')).catch(() => null)) !== null) return;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const made = await git(['init', '--quiet', '--bare', '--template=']);
  if (made.status !== 0) throw new Error(`git init failed: ${lastLine(made.stderr)}`);
  await mkdir(join(directory, 'info'), { recursive: true });
  // These outrank the attributes of a commit, which could leave files out of the archive or rewrite them.
  await writeFile(join(directory, 'info', 'attributes'), '* -export-ignore -export-subst -filter -ident\n');
  await writeFile(join(directory, 'penstock-ready'), '');
}

interface Fetch {
  readonly sha: string;
  readonly access: { readonly url: string; readonly token: string };
  readonly whole: boolean;
  readonly signal: AbortSignal;
}

/**
 * What a fetch that was killed has left: a lock would refuse every later fetch. Nobody else works in the mirror, because
 * one process has the home and its fetches wait for one another.
 */
async function clearLeftovers(directory: string, sha: string): Promise<void> {
  const packs = join(directory, 'objects', 'pack');
  const unfinished = (await readdir(packs).catch(() => [])).filter((name) => name.startsWith('tmp_'));
  const left = [
    join(directory, 'shallow.lock'),
    join(directory, 'packed-refs.lock'),
    join(directory, 'refs', 'penstock', `${sha}.lock`),
    ...unfinished.map((name) => join(packs, name)),
  ];
  await Promise.all(left.map((path) => rm(path, { force: true })));
}

async function fetchCommit(git: Git, directory: string, { sha, access, whole, signal }: Fetch): Promise<void> {
  const present = await git(['cat-file', '-e', `${sha}^{commit}`]);
  if (present.status === 0) return;
  await clearLeftovers(directory, sha);
  const url = new URL(access.url);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new UserError(
      `Repositories are fetched over http or https only; the configured GitHub URL begins with ${url.protocol}`,
    );
  }
  const credentials = Buffer.from(`x-access-token:${access.token}`).toString('base64');
  const options = ['--quiet', '--no-write-fetch-head', '--no-recurse-submodules', '--no-tags'];
  // Tags by a forced refspec: `--tags` would refuse to follow a tag that was moved.
  const tags = whole ? ['+refs/tags/*:refs/tags/*'] : [];
  const depth = whole ? [] : ['--depth=1'];
  const wanted = [`+${sha}:refs/penstock/${sha}`, ...tags];
  const result = await git(['fetch', ...options, ...depth, '--end-of-options', url.href, ...wanted], {
    config: { [`http.${url.origin}/.extraHeader`]: `Authorization: Basic ${credentials}` },
    protocols: url.protocol.slice(0, -1),
    timeoutMs: fetchTimeoutMs,
    signal,
  });
  if (result.status !== 0 && !signal.aborted) throw fetchError(sha, result.stderr);
}

const missing =
  /not our ref|couldn't find remote ref|unadvertised object|did not send all necessary objects|bad object/i;
const refused =
  /Authentication failed|could not read Username|Repository not found|not found$|returned error: 40[134]/im;

function fetchError(sha: string, stderr: string): Error {
  if (missing.test(stderr)) {
    return new UserError(
      `[GitHub] The commit ${sha} does not exist any more in the repository. Push again to start a new execution.`,
    );
  }
  if (refused.test(stderr)) {
    return new UserError(
      '[GitHub] The repository cannot be read. Check that the GitHub App is installed on it with read access to contents.',
    );
  }
  return new TransientError(`[GitHub] git fetch failed: ${lastLine(stderr)}`);
}

async function describeCommit(git: Git, sha: string): Promise<CommitFacts> {
  const result = await git(['log', '-1', '--no-show-signature', '--format=%aI%x00%B', '--end-of-options', sha]);
  const [authorDate, message] = result.stdout.split('\0');
  if (result.status !== 0 || message === undefined) throw new Error(`git log failed: ${lastLine(result.stderr)}`);
  return { authorDate: authorDate ?? '', message: message.trim() };
}

interface Clone {
  readonly sha: string;
  readonly url: string;
  readonly to: string;
}

async function cloneCommit(call: Omit<GitCall, 'args'>, mirror: string, { sha, url, to }: Clone): Promise<void> {
  const steps = [
    ['clone', '--quiet', '--no-checkout', '--no-hardlinks', '--template=', '--end-of-options', mirror, to],
    ['-C', to, 'remote', 'set-url', 'origin', url],
    ['-C', to, 'checkout', '--quiet', '--detach', sha],
  ];
  for (const args of steps) {
    const result = await runGit({ ...call, args });
    if (result.status !== 0)
      throw new Error(`git ${args.includes('clone') ? 'clone' : 'checkout'} failed: ${lastLine(result.stderr)}`);
  }
}

function checkSha(sha: string): string {
  if (/^[0-9a-f]{40}$/.test(sha)) return sha;
  throw new UserError(`"${sha.slice(0, 60)}" is not a full commit SHA: 40 hexadecimal digits are needed.`);
}

function lastLine(stderr: string): string {
  return (stderr.trim().split('\n').at(-1) ?? '').slice(0, 300);
}

/** Runs after everything that was asked for the same mirror before. */
async function exclusively<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = locks.get(key) ?? Promise.resolve();
  const result = before.then(work);
  const settled = Promise.allSettled([result]);
  locks.set(key, settled);
  try {
    return await result;
  } finally {
    if (locks.get(key) === settled) locks.delete(key);
  }
}
