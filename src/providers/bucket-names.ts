import type { RepositoryRef } from '../github/github.ts';

/** Where a bucket that a pipeline names lies in the store of this machine. */
export type BucketOf = (repository: Pick<RepositoryRef, 'id'>, bucket: string) => string;

/** One owner of everything: a local run, and the admin side of the CodePipeline API. */
export function sharedBuckets(_repository: Pick<RepositoryRef, 'id'>, bucket: string): string {
  return bucket;
}

/**
 * Every repository has buckets of its own: a name that two of them use is two buckets, and no name reaches another's
 * objects or artifacts. Repository 0 is the operator's own (docs/security.md).
 */
export function ownBuckets({ id }: Pick<RepositoryRef, 'id'>, bucket: string): string {
  return id === 0 ? bucket : `${bucket}.repository-${id}`;
}
