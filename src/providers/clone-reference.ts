import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import type { StoredObject } from './stored-object.ts';
import { openMirror } from './mirror.ts';

/** What a source action with CODEBUILD_CLONE_REF stores instead of a ZIP (CP-D-28): which commit to clone. */
const CloneReference = z.strictObject({
  penstockCloneReference: z.literal(1),
  repositoryId: z.int(),
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  /** The address that the clone names as its origin; no credentials in it. */
  url: z.string(),
});
export type CloneReference = z.infer<typeof CloneReference>;

const maxBytes = 4096;

/** null: the artifact is something else. */
export async function readCloneReference(stored: StoredObject): Promise<CloneReference | null> {
  if (stored.size > maxBytes) return null;
  try {
    return CloneReference.parse(JSON.parse(await readFile(stored.file, 'utf8')));
  } catch {
    return null;
  }
}

/** Where clones come from: the mirrors below the home directory. */
export interface CloneSource {
  readonly home: string;
  readonly path: string;
  /** The only repository whose clones this action may have. */
  readonly repositoryId: number;
}

export async function cloneInto(source: CloneSource, reference: CloneReference, directory: string): Promise<void> {
  if (reference.repositoryId !== source.repositoryId) {
    throw new UserError(
      'The input artifact refers to a commit of another repository, which this pipeline cannot read.',
    );
  }
  const mirror = await openMirror(source.home, reference.repositoryId, {
    path: source.path,
    environment: {},
    whole: true,
  });
  await mirror.clone(reference.sha, reference.url, directory);
}
