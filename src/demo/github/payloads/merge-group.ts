import type { MergeGroup } from '../state.ts';
import type { Payload } from './account.ts';
import { headCommitPayload } from './commit.ts';

/** No list of pull requests stands in it. */
export async function mergeGroupPayload(group: MergeGroup): Promise<Payload> {
  return {
    head_sha: group.headSha,
    head_ref: group.headRef,
    base_sha: group.baseSha,
    base_ref: group.baseRef,
    head_commit: await headCommitPayload(group.repository, group.headSha),
  };
}
