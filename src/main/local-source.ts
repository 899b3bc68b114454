import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { ArtifactStore } from '../providers/artifact-store.ts';
import type { ActionReport, AnyProvider, StartedAction } from '../providers/provider.ts';
import { listFiles, zipDirectory } from '../providers/zip.ts';

const execute = promisify(execFile);

export interface LocalTree {
  readonly directory: string;
  /** Our own files; left out when they lie in the tree. */
  readonly home: string;
}

/** What is checked out; forty zeros outside git and before the first commit. */
export async function headOf(directory: string): Promise<{ readonly commit: string; readonly branch: string }> {
  try {
    const commit = (await git(directory, ['rev-parse', '--verify', 'HEAD'])).trim();
    return { commit, branch: (await git(directory, ['rev-parse', '--abbrev-ref', 'HEAD'])).trim() };
  } catch {
    return { commit: '0'.repeat(40), branch: 'local' };
  }
}

/** A hook of git may call us, and tells git by the environment which repository it is: not always this one. */
async function git(directory: string, args: readonly string[]): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  return (await execute('git', args, { cwd: directory, env, maxBuffer: 64 * 1024 ** 2 })).stdout;
}

/** Stands for every source action of `penstock run`: the working tree as it is, without what git ignores. */
export function localSource(artifacts: ArtifactStore, tree: LocalTree): AnyProvider {
  return {
    type: { category: 'Source', owner: 'AWS', provider: 'CodeStarSourceConnection', version: '1' },
    configuration: z.record(z.string(), z.string()),
    artifacts: { in: [0, 0], out: [1, 1] },
    start: (action) => packSource(artifacts, tree, action),
  };
}

async function packSource(
  artifacts: ArtifactStore,
  { directory, home }: LocalTree,
  action: StartedAction<unknown>,
): Promise<ActionReport> {
  const [output] = action.outputs;
  if (!output) {
    const message = 'A source action needs one output artifact.';
    return { kind: 'failed', error: { code: 'ConfigurationError', message } };
  }
  const scratch = await mkdtemp(join(tmpdir(), 'penstock-source-'));
  try {
    const paths = await sourceFiles(directory, home);
    const archive = join(scratch, 'source.zip');
    await zipDirectory(directory, archive, paths);
    await artifacts.put(output.location, { file: archive });
    action.log.write(`Packed ${paths.length} files of ${directory}\n`);
    return { kind: 'succeeded', outputVariables: await variablesOf(directory), summary: `${paths.length} files` };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What a commit of the tree as it is would hold; outside git, everything but node_modules. */
async function sourceFiles(directory: string, home: string): Promise<readonly string[]> {
  const present = (await listFiles(directory)).map(({ path }) => path);
  const own = `${relative(directory, home)}/`;
  const others = present.filter((path) => !path.startsWith(own));
  try {
    const listed = await git(directory, ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
    const wanted = new Set(listed.split('\0'));
    return others.filter((path) => wanted.has(path));
  } catch {
    return others.filter((path) => !path.split('/').includes('node_modules'));
  }
}

/** The variables that the source action of a repository gives (CP 5.1). */
async function variablesOf(directory: string): Promise<Readonly<Record<string, string>>> {
  const { commit, branch } = await headOf(directory);
  const said = await git(directory, ['log', '-1', '--format=%aI%n%s']).catch(() => '');
  const [date = '', subject = ''] = said.split('\n');
  return {
    FullRepositoryName: `local/${basename(directory)}`,
    ConnectionArn: 'local',
    CommitId: commit,
    BranchName: branch,
    AuthorDate: date || new Date().toISOString(),
    CommitMessage: subject || 'Working tree',
  };
}
