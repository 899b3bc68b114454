import type { AwsSubject, AwsTarget } from './port.ts';

/** What an AssumeRole call is made of. */
export interface RoleSession {
  readonly RoleArn: string;
  readonly RoleSessionName: string;
  readonly ExternalId: string;
  readonly SourceIdentity: string;
  readonly DurationSeconds: number;
  readonly Tags: { readonly Key: string; readonly Value: string }[];
}

/** STS wants 2 to 64 of these characters in names and identities. */
const beyondIdentity = /[^\w+=,.@-]/g;
/** IAM's characters for the values of tags. */
const beyondTag = /[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu;

/** One hour at most; the trail shows repository, pull request, execution and person (SEC-T-06). */
export function roleSession(target: Pick<AwsTarget, 'roleArn' | 'externalId'>, subject: AwsSubject): RoleSession {
  const { repositoryId, repository, pullRequest, execution, person } = subject;
  const name = `repo-${repositoryId}${pullRequest === undefined ? '' : `-pr-${pullRequest}`}`;
  const tags = {
    repository,
    ...(pullRequest === undefined ? {} : { 'pull-request': String(pullRequest) }),
    ...(execution === undefined ? {} : { execution }),
  };
  return {
    RoleArn: target.roleArn,
    RoleSessionName: name,
    ExternalId: target.externalId,
    SourceIdentity: (person === undefined ? 'penstock' : `github-${person}`)
      .replaceAll(beyondIdentity, '-')
      .slice(0, 64),
    DurationSeconds: 3600,
    Tags: Object.entries(tags).map(([Key, value]) => ({ Key, Value: value.replaceAll(beyondTag, '-').slice(0, 256) })),
  };
}

/**
 * Whether a caller's ARN, or a trigger's detail with one in it (CP-X-3), is our role in any session:
 * `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
 */
export function isOurRole(caller: string | undefined, roleArn: string): boolean {
  const [, partition, , , account] = roleArn.split(':');
  const role = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  return caller?.includes(`arn:${partition}:sts::${account}:assumed-role/${role}/`) ?? false;
}
