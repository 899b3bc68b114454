import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { z } from 'zod';
import { describeError, UserError } from '../errors.ts';
import type { ArtifactStore } from '../providers/artifact-store.ts';
import type { ActionReport, AnyProvider, StartedAction } from '../providers/provider.ts';
import { writeZip } from '../providers/write-zip.ts';
import { listFiles, packedFiles, tooLarge } from '../providers/zip.ts';
import { git, headOf, type Environment } from './local-git.ts';

export interface LocalTree {
  readonly directory: string;
  /** Our own files; left out when they lie in the tree. */
  readonly home: string;
  /** What our git runs with. */
  readonly env: Environment;
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
  tree: LocalTree,
  action: StartedAction<unknown>,
): Promise<ActionReport> {
  const [output] = action.outputs;
  if (!output) return failed('A source action needs one output artifact.');
  const scratch = await mkdtemp(join(tmpdir(), 'penstock-source-'));
  try {
    const paths = await sourceFiles(tree);
    const files = await packedFiles(tree.directory, paths, true);
    const large = tooLarge(files);
    if (large !== undefined) return failed(`${tree.directory} cannot be packed: ${large}. Name a smaller --source.`);
    const archive = join(scratch, 'source.zip');
    await writeZip(files, archive, 'stored');
    await artifacts.put(output.location, { file: archive });
    const summary = `${paths.length} file${paths.length === 1 ? '' : 's'}`;
    action.log.write(`Packed ${summary} of ${tree.directory}\n`);
    return { kind: 'succeeded', outputVariables: await variablesOf(tree), summary };
  } catch (error) {
    // The files are as they are: to try again by itself would only be silence.
    return failed(
      error instanceof UserError ? error.message : `${tree.directory} cannot be packed: ${describeError(error)}`,
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function failed(message: string): ActionReport {
  return { kind: 'failed', error: { code: 'ConfigurationError', message } };
}

/** What a commit of the tree as it is would hold; outside git and in an ignored folder, everything but node_modules. */
async function sourceFiles(tree: LocalTree): Promise<readonly string[]> {
  const present = (await listFiles(tree.directory, { directoryLinks: true })).map(({ path }) => path);
  const own = `${relative(tree.directory, tree.home)}/`;
  const others = present.filter((path) => !path.startsWith(own));
  const known = await knownToGit(tree).catch(() => new Set<string>());
  const wanted = others.filter((path) => known.has(path));
  return wanted.length > 0 ? wanted : others.filter((path) => !path.split('/').includes('node_modules'));
}

async function knownToGit(tree: LocalTree): Promise<ReadonlySet<string>> {
  const tracked = await git(tree, ['ls-files', '-z', '--cached', '--recurse-submodules']);
  const fresh = await git(tree, ['ls-files', '-z', '--others', '--exclude-standard']);
  return new Set(`${tracked}${fresh}`.split('\0'));
}

/** The variables that the source action of a repository gives (CP 5.1). */
async function variablesOf(tree: LocalTree): Promise<Readonly<Record<string, string>>> {
  const { commit, branch } = await headOf(tree);
  const said = await git(tree, ['log', '-1', '--format=%aI%n%s']).catch(() => '');
  const [date = '', subject = ''] = said.split('\n');
  return {
    FullRepositoryName: `local/${basename(tree.directory)}`,
    ConnectionArn: 'local',
    CommitId: commit,
    BranchName: branch,
    AuthorDate: date || new Date().toISOString(),
    CommitMessage: subject || 'Working tree',
  };
}
