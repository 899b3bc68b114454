import { z } from 'zod';
import type { GitHub } from '../github/github.ts';
import type { ArtifactStore } from './artifact-store.ts';
import { repeatableWork, type Background, type WorkContext } from './background.ts';
import type { CloneReference } from './clone-reference.ts';
import { openMirror, type CommitFacts } from './mirror.ts';
import type { ActionProvider, StartedAction } from './provider.ts';
import { failed, type EndReport } from './reports.ts';

/** What of GitHub a source action needs. */
export type FetchAccess = Pick<GitHub, 'fetchAccess'>['fetchAccess'];

export interface SourceDeps {
  readonly home: string;
  /** PATH on which git is found. */
  readonly path: string;
  /** Proxy and certificate variables for git. */
  readonly gitEnvironment: Readonly<Record<string, string>>;
  readonly fetchAccess: FetchAccess;
  readonly artifacts: ArtifactStore;
  readonly background: Background;
}

const Configuration = z.strictObject({
  ConnectionArn: z.string().min(1),
  FullRepositoryId: z
    .string()
    .regex(/^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/, 'FullRepositoryId must be owner/repository.'),
  BranchName: z.string().min(1),
  OutputArtifactFormat: z.enum(['CODE_ZIP', 'CODEBUILD_CLONE_REF']).default('CODE_ZIP'),
  DetectChanges: z.string().optional(),
});
type Configuration = z.infer<typeof Configuration>;

/** The commit of the start, by its SHA, as a ZIP or as a reference for CodeBuild actions to clone (CP-P-3). */
export function codeStarSourceConnection(deps: SourceDeps): ActionProvider<Configuration> {
  const work = (action: StartedAction<Configuration>) =>
    repeatableWork(action, (context) => fetchSource(deps, action, context));
  return {
    type: { category: 'Source', owner: 'AWS', provider: 'CodeStarSourceConnection', version: '1' },
    configuration: Configuration,
    artifacts: { in: [0, 0], out: [1, 1] },
    start: async (action) => {
      const refusal = refusalOf(action);
      if (refusal !== undefined) return failed('ConfigurationError', refusal);
      return deps.background.start(work(action));
    },
    poll: (action) => deps.background.poll(action.token, work(action)),
    stop: (action) => deps.background.stop(action.token),
  };
}

function refusalOf({ configuration, repository, sourceRevision }: StartedAction<Configuration>): string | undefined {
  const own = `${repository.owner}/${repository.name}`;
  if (configuration.FullRepositoryId.toLowerCase() !== own.toLowerCase()) {
    return `FullRepositoryId is ${configuration.FullRepositoryId}, but this pipeline belongs to ${own} and can read no other repository.`;
  }
  if (sourceRevision === undefined)
    return 'No source revision was given for this action. Start the pipeline for a commit.';
  if (!/^[0-9a-f]{40}$/.test(sourceRevision.revisionId)) {
    return `The source revision "${sourceRevision.revisionId.slice(0, 60)}" is not a full commit SHA of 40 hexadecimal digits.`;
  }
  return undefined;
}

async function fetchSource(
  deps: SourceDeps,
  action: StartedAction<Configuration>,
  context: WorkContext,
): Promise<EndReport> {
  const sha = action.sourceRevision?.revisionId ?? '';
  const output = action.outputs[0];
  if (output === undefined) return failed('ConfigurationError', 'A source action needs one output artifact.');
  const whole = action.configuration.OutputArtifactFormat === 'CODEBUILD_CLONE_REF';
  const mirror = await openMirror(deps.home, action.repository.id, {
    path: deps.path,
    environment: deps.gitEnvironment,
    whole,
  });
  action.log.write(`Fetching ${action.configuration.FullRepositoryId} at ${sha}\n`);
  const access = await deps.fetchAccess(action.repository);
  await mirror.fetch(sha, access, context.signal);
  const content = whole ? referenceTo(action.repository.id, sha, access.url) : mirror.archive(sha, context.signal);
  const [facts, stored] = await Promise.all([mirror.describe(sha), deps.artifacts.put(output.location, content)]);
  action.log.write(`Stored ${output.name}: ${stored.size} bytes, sha256 ${stored.sha256}\n`);
  return succeed(action, sha, facts);
}

function referenceTo(repositoryId: number, sha: string, url: string): Buffer {
  const reference: CloneReference = { penstockCloneReference: 1, repositoryId, sha, url };
  return Buffer.from(JSON.stringify(reference));
}

function succeed(action: StartedAction<Configuration>, sha: string, facts: CommitFacts): EndReport {
  const summary = (facts.message.split('\n')[0] ?? '').slice(0, 200);
  const known = action.sourceRevision;
  return {
    kind: 'succeeded',
    outputVariables: variablesOf(action, sha, facts),
    externalId: sha,
    summary,
    revision: {
      actionName: action.declaration.name,
      revisionId: sha,
      revisionType: 'COMMIT_ID',
      revisionSummary: summary,
      ...createdAt(facts.authorDate),
      ...(known?.revisionUrl === undefined ? {} : { revisionUrl: known.revisionUrl }),
    },
  };
}

/** Commits may say anything of their time. */
function createdAt(authorDate: string): { readonly created?: string } {
  const time = new Date(authorDate);
  return Number.isNaN(time.getTime()) ? {} : { created: time.toISOString() };
}

const longestMessage = 16 * 1024;

/** AWS's documented set, and on runs for a pull request the four undocumented ones (CP-P-7). */
function variablesOf(action: StartedAction<Configuration>, sha: string, facts: CommitFacts): Record<string, string> {
  const { configuration, origin } = action;
  const branch = origin.branch ?? configuration.BranchName;
  const pullRequest = origin.pullRequest;
  return {
    AuthorDate: facts.authorDate,
    BranchName: branch,
    CommitId: sha,
    CommitMessage: facts.message.slice(0, longestMessage),
    ConnectionArn: configuration.ConnectionArn,
    FullRepositoryName: configuration.FullRepositoryId,
    ...(pullRequest === undefined
      ? {}
      : {
          PullRequestId: String(pullRequest.number),
          PullRequestTitle: pullRequest.title,
          SourceBranchName: branch,
          DestinationBranchName: pullRequest.baseRef,
        }),
  };
}
