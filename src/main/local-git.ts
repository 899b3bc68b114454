import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export type Environment = Readonly<Record<string, string | undefined>>;

export interface GitTree {
  readonly directory: string;
  /** What our git runs with. */
  readonly env: Environment;
}

/** What is checked out; forty zeros outside git and before the first commit. */
export async function headOf(tree: GitTree): Promise<{ readonly commit: string; readonly branch: string }> {
  try {
    const commit = (await git(tree, ['rev-parse', '--verify', 'HEAD'])).trim();
    return { commit, branch: (await git(tree, ['rev-parse', '--abbrev-ref', 'HEAD'])).trim() };
  } catch {
    return { commit: '0'.repeat(40), branch: 'local' };
  }
}

/** A hook of git may call us, and tells git by the environment which repository it is: not always this one. */
export async function git({ directory, env }: GitTree, args: readonly string[]): Promise<string> {
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('GIT_')));
  return (await execute('git', args, { cwd: directory, env: own, maxBuffer: 64 * 1024 ** 2 })).stdout;
}
