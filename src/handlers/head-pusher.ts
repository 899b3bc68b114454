import { pusherOf, rememberPusher } from '../db/pull-request-heads.ts';
import type { Deps } from '../deps.ts';
import type { RepositoryRef } from '../github/github.ts';

/** The head of a pull request. */
interface Head {
  readonly number: number;
  readonly headSha: string;
  readonly branch?: string | undefined;
  /** Its branch is in another repository, which cannot be asked. */
  readonly fork: boolean;
}

/**
 * Account number of whoever pushed the head of a pull request: never counted for its gates (SEC R4). Its webhook tells,
 * except where the branch was pushed before the pull request was opened and where the webhook was lost; then GitHub's
 * list of pushes does, once. Null while neither is known.
 */
export async function headPusher(
  deps: Pick<Deps, 'db' | 'github'>,
  repository: RepositoryRef,
  { number, headSha, branch, fork }: Head,
): Promise<number | null> {
  const known = await pusherOf(deps.db, repository.id, number, headSha);
  if (known !== null || fork) return known;
  const push = await deps.github.pushOf(repository, headSha, branch);
  if (!push) return null;
  await rememberPusher(deps.db, { repositoryId: repository.id, number, headSha, pushedBy: push.by.id });
  return push.by.id;
}
