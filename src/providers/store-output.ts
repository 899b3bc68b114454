import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { createFileMatcher } from '../buildspec/file-globs.ts';
import type { ArtifactStore } from './artifact-store.ts';
import { say } from './build-log.ts';
import type { ActionLog, NamedArtifact } from './provider.ts';
import { listFiles, zipDirectory } from './zip.ts';

export interface OutputRequest {
  readonly directory: string;
  /** Patterns of `file-globs.ts`. */
  readonly files: readonly string[];
  /** Where the archive is put together. */
  readonly to: string;
  readonly log: ActionLog;
}

/** Packs what the patterns name and stores it; says in words why it could not. */
export async function storeOutput(
  artifacts: ArtifactStore,
  output: NamedArtifact,
  request: OutputRequest,
): Promise<string | undefined> {
  const matches = createFileMatcher(request.files);
  const chosen = (await listFiles(request.directory)).map(({ path }) => path).filter(matches);
  if (chosen.length === 0) return nothingMatched(output.name, request);
  await zipDirectory(request.directory, request.to, chosen);
  const stored = await artifacts.put(output.location, { file: request.to });
  say(request.log, `Stored artifact ${output.name}: ${chosen.length} files, ${stored.size} bytes`);
  return undefined;
}

async function nothingMatched(name: string, request: OutputRequest): Promise<string> {
  const patterns = request.files.map((file) => `"${file}"`).join(', ');
  for (const file of request.files) {
    const found = /[*?[{]/.test(file) ? undefined : await lstat(join(request.directory, file)).catch(() => undefined);
    if (found?.isDirectory() === true) {
      return `no matching artifact paths found for ${name}: "${file}" is a directory. Write "${file.replace(/\/$/, '')}/**/*" for the files in it.`;
    }
  }
  return `no matching artifact paths found for ${name}: ${patterns} matched no file. Patterns are relative to the directory of the source.`;
}
