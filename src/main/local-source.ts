import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { ArtifactStore } from '../providers/artifact-store.ts';
import type { ActionReport, AnyProvider, StartedAction } from '../providers/provider.ts';
import { listFiles, zipDirectory } from '../providers/zip.ts';

const run = promisify(execFile);

/** Stands for every source action of `penstock run`: the working tree as it is, without what git ignores. */
export function localSource(artifacts: ArtifactStore, directory: string): AnyProvider {
  return {
    type: { category: 'Source', owner: 'AWS', provider: 'CodeStarSourceConnection', version: '1' },
    configuration: z.record(z.string(), z.string()),
    artifacts: { in: [0, 0], out: [1, 1] },
    start: (action) => packSource(artifacts, directory, action),
  };
}

async function packSource(
  artifacts: ArtifactStore,
  directory: string,
  action: StartedAction<unknown>,
): Promise<ActionReport> {
  const [output] = action.outputs;
  if (!output) {
    const message = 'A source action needs one output artifact.';
    return { kind: 'failed', error: { code: 'ConfigurationError', message } };
  }
  const scratch = await mkdtemp(join(tmpdir(), 'penstock-source-'));
  try {
    const paths = await sourceFiles(directory);
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
async function sourceFiles(directory: string): Promise<readonly string[]> {
  const present = (await listFiles(directory)).map(({ path }) => path);
  try {
    const { stdout } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: directory,
      maxBuffer: 64 * 1024 ** 2,
    });
    const wanted = new Set(stdout.split('\0'));
    return present.filter((path) => wanted.has(path));
  } catch {
    return present.filter((path) => !path.split('/').includes('node_modules'));
  }
}

async function variablesOf(directory: string): Promise<Readonly<Record<string, string>>> {
  const local = { FullRepositoryName: `local/${basename(directory)}`, ConnectionArn: 'local' };
  try {
    const { stdout } = await run('git', ['log', '-1', '--format=%H%n%aI%n%D%n%s'], { cwd: directory });
    const [id = '', date = '', , subject = ''] = stdout.split('\n');
    const branch = (await run('git', ['rev-parse', '--abbrev-ref', 'HEAD'], { cwd: directory })).stdout.trim();
    return { ...local, CommitId: id, AuthorDate: date, CommitMessage: subject, BranchName: branch };
  } catch {
    const now = new Date().toISOString();
    const none = '0'.repeat(40);
    return { ...local, CommitId: none, AuthorDate: now, CommitMessage: 'Working tree', BranchName: 'local' };
  }
}
