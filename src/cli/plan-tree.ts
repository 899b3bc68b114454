import { UserError } from '../errors.ts';
import { git, type GitTree } from '../main/local-git.ts';

/** A working tree beside the branch that it is to be merged into. */
export interface PlanTree {
  /** The top folder of the repository. */
  readonly folder: string;
  /** The branch to merge into, without the name of a remote. */
  readonly into: string;
  /** The commit of that branch, as it was last fetched. */
  readonly baseSha: string;
  /** From the root: what differs from where the branches parted, uncommitted and new files with it. */
  readonly paths: readonly string[];
}

/** Throws UserError where there is no repository, or no such branch in it. */
export async function planTree(here: GitTree, wanted: string | undefined): Promise<PlanTree> {
  const folder = await git(here, ['rev-parse', '--show-toplevel']).then(
    (text) => text.trimEnd(),
    () => {
      throw new UserError(`${here.directory} is not in a git repository. Name the folder of one.`);
    },
  );
  const tree = { ...here, directory: folder };
  const into = wanted ?? (await defaultBranch(tree));
  const baseSha = await commitOf(tree, into);
  if (baseSha === undefined) {
    const mend =
      wanted === undefined ? 'Name the branch to merge into: --into <branch>.' : `Fetch it, or name another.`;
    throw new UserError(`There is no branch ${into} in ${folder}. ${mend}`);
  }
  return { folder, into, baseSha, paths: await changedPaths(tree, baseSha) };
}

/** What that commit holds at the path; null when nothing does. */
export async function readAt(tree: GitTree, sha: string, path: string): Promise<string | null> {
  const inTree = await git(tree, ['ls-tree', '-z', '--full-tree', sha, '--', path]);
  return inTree === '' ? null : await git(tree, ['show', `${sha}:${path}`]);
}

async function defaultBranch(tree: GitTree): Promise<string> {
  const told = await git(tree, ['symbolic-ref', '--short', 'refs/remotes/origin/HEAD']).catch(() => '');
  if (told !== '') return told.trim().replace(/^origin\//, '');
  return (await commitOf(tree, 'main')) === undefined && (await commitOf(tree, 'master')) !== undefined
    ? 'master'
    : 'main';
}

/** As GitHub has it, where that is known: the branch here may be behind, or ahead by what is not pushed. */
async function commitOf(tree: GitTree, branch: string): Promise<string | undefined> {
  for (const ref of [`refs/remotes/origin/${branch}`, `refs/heads/${branch}`]) {
    const sha = await git(tree, ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`]).catch(() => '');
    if (sha !== '') return sha.trim();
  }
  return undefined;
}

async function changedPaths(tree: GitTree, baseSha: string): Promise<readonly string[]> {
  const parted = await git(tree, ['merge-base', baseSha, 'HEAD']).catch(() => baseSha);
  // A renamed file counts with both names, as on GitHub.
  const changed = await git(tree, ['diff', '--name-only', '--no-renames', '-z', parted.trim(), '--']);
  const fresh = await git(tree, ['ls-files', '-z', '--others', '--exclude-standard']);
  return [...new Set(`${changed}${fresh}`.split('\0').filter((path) => path !== ''))].toSorted();
}
