import type { ArtifactDetail } from '@aws-sdk/client-codepipeline';
import type { ServedPipeline } from '../db/api-pipelines.ts';
import { loadDefinitions } from '../db/definitions.ts';
import { loadExecutions } from '../db/executions.ts';
import type { AttemptFilter, AttemptRef } from '../db/api-executions.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Execution } from '../pipeline/execution.ts';
import type { NamedArtifact } from '../providers/provider.ts';
import type { Call } from './door.ts';
import { readToken, tokenMember, type Query } from './paging.ts';
import { executionOfPipeline } from './stored-pipeline.ts';

/** What ListActionExecutions and ListRuleExecutions have in common. */

interface HistoryInput {
  readonly filter?: {
    readonly pipelineExecutionId?: string;
    readonly latestInPipelineExecution?: {
      readonly pipelineExecutionId: string;
      readonly startTimeRange: 'Latest' | 'All';
    };
  };
  readonly maxResults?: number;
  readonly nextToken?: string;
}

type Source = (filter: AttemptFilter) => Promise<readonly AttemptRef[]>;

export interface HistoryPage {
  readonly attempts: readonly AttemptRef[];
  readonly executions: ReadonlyMap<string, Execution>;
  readonly definitions: Readonly<Record<string, PipelineDefinition>>;
  readonly token: { nextToken?: string };
}

const pageSize = 100;

/** One page, with the executions and declarations that its rows belong to. */
export async function historyPage(
  call: Call,
  pipeline: ServedPipeline,
  given: { readonly operation: string; readonly input: HistoryInput; readonly source: Source },
): Promise<HistoryPage> {
  const { filter, maxResults: size = pageSize, nextToken } = given.input;
  const latest = filter?.latestInPipelineExecution;
  const execution = filter?.pipelineExecutionId ?? latest?.pipelineExecutionId;
  const query: Query = { operation: given.operation, about: [pipeline.lane, filter ?? null] };
  const after = readToken(call, query, nextToken);
  if (execution !== undefined) await executionOfPipeline(call, pipeline, execution);
  const found = await given.source({
    lane: pipeline.lane,
    ...(execution === undefined ? {} : { execution }),
    newestOnly: latest?.startTimeRange === 'Latest',
    ...(after === undefined ? {} : { after }),
    limit: size + 1,
  });
  const attempts = found.slice(0, size);
  const records = await loadExecutions(call.door.db, [...new Set(attempts.map((attempt) => attempt.execution))]);
  const digests = new Set(records.map((record) => record.execution.definition));
  return {
    attempts,
    executions: new Map(records.map((record) => [record.execution.id, record.execution])),
    definitions: await loadDefinitions(call.door.db, [...digests]),
    token: tokenMember(call, query, found.length > size ? attempts.at(-1)?.cursor : undefined),
  };
}

export function artifactDetails(artifacts: readonly NamedArtifact[] | undefined): ArtifactDetail[] {
  return (artifacts ?? []).map(({ name, location }) => ({ name, s3location: { ...location } }));
}

/** History shows no secret, neither as declared nor resolved. */
export function masked(
  configuration: Readonly<Record<string, string>>,
  secret: ReadonlySet<string>,
  mask: string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(configuration).map(([key, value]) => [key, secret.has(key) ? mask : value]));
}
