import type { StageState } from '@aws-sdk/client-codepipeline';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import type { Ending, Execution, SourceRevision } from '../../pipeline/execution.ts';
import { executionStatus } from '../../pipeline/status.ts';
import type { AwsExecution } from './aws-execution.ts';
import { lagMs, observeStages, over, quietFor, type Look, type Observed } from './observe-stages.ts';
import { given } from './read-declaration.ts';

/** After an update AWS may leave an execution InProgress for ever (CP-X-62); this long without a move it counts as over. */
const lingersMs = 10 * 60_000;
/** The same execution as AWS tells it now. Built anew each time, so that no order of looks and events matters (CP-E-9). */
export function observeExecution(
  prior: AwsExecution,
  definition: PipelineDefinition,
  observed: Observed,
  look: Look,
): AwsExecution {
  const { execution: told } = observed;
  const rollback = told.rollbackMetadata?.rollbackTargetPipelineExecutionId;
  const kept = keptOf(prior);
  const bare: AwsExecution = {
    ...kept,
    type: told.executionType === 'ROLLBACK' || rollback !== undefined ? 'ROLLBACK' : prior.type,
    trigger: told.trigger?.triggerType
      ? { type: told.trigger.triggerType, detail: told.trigger.triggerDetail ?? '' }
      : prior.trigger,
    sourceRevisions: revisionsOf(prior, observed),
    variables: told.variables?.length
      ? told.variables.map(({ name = '', resolvedValue = '' }) => ({ name, value: resolvedValue }))
      : prior.variables,
    stages: observeStages(prior, definition, observed, look),
    aws: { ...kept.aws, ...logsOf(prior, observed) },
    ...given({ waitingAt: waitingAt(observed, prior.aws.executionId) }),
  };
  const settled = { ...bare, ...endOf(prior, bare, definition, observed, look) };
  return sameApart(prior, settled) ? prior : { ...settled, updatedAt: look.at };
}

/** What no look at AWS changes. */
function keptOf(prior: AwsExecution): AwsExecution {
  const { waitingAt: _waitingAt, ending: _ending, stop: _stop, cancel: _cancel, notice: _notice, ...kept } = prior;
  return kept;
}

function sameApart(prior: Execution, next: Execution): boolean {
  return canonical({ ...next, updatedAt: prior.updatedAt }) === canonical(prior);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** A service that told of a log once is not asked again. */
function logsOf(prior: AwsExecution, { stories }: Observed): Pick<AwsExecution['aws'], 'logs'> {
  const found = Object.entries(stories).flatMap(([id, { log }]) => (log ? [[id, log] as const] : []));
  return found.length === 0 ? {} : { logs: { ...prior.aws.logs, ...Object.fromEntries(found) } };
}

function revisionsOf(prior: AwsExecution, { execution, actions }: Observed): readonly SourceRevision[] {
  const told = (execution.artifactRevisions ?? []).flatMap((revision): SourceRevision[] => {
    const source = actions.find((action) =>
      (action.output?.outputArtifacts ?? []).some((artifact) => artifact.name === revision.name),
    );
    if (revision.revisionId === undefined || source?.actionName === undefined) return [];
    const { revisionId, revisionSummary, revisionUrl } = revision;
    return [{ actionName: source.actionName, revisionId, ...given({ revisionSummary, revisionUrl }) }];
  });
  const rest = prior.sourceRevisions.filter((one) => !told.some(({ actionName }) => actionName === one.actionName));
  const merged = told.map((one) => ({
    ...prior.sourceRevisions.find((had) => had.actionName === one.actionName),
    ...one,
  }));
  return [...merged, ...rest];
}

function waitingAt({ state, execution }: Observed, id: string | undefined): string | undefined {
  if (over.has(execution.status)) return undefined;
  const waits = (one: { pipelineExecutionId?: string | undefined } | undefined) => one?.pipelineExecutionId === id;
  const isAt = (stage: StageState) => waits(stage.inboundExecution) || (stage.inboundExecutions ?? []).some(waits);
  return state?.stageStates?.find(isAt)?.stageName;
}

/** What the stages cannot tell by themselves: `stop` and `ending`, so that our computed status equals what AWS says. */
function endOf(
  prior: AwsExecution,
  bare: AwsExecution,
  definition: PipelineDefinition,
  observed: Observed,
  look: Look,
): Pick<AwsExecution, 'stop' | 'ending'> {
  const { status, statusSummary } = observed.execution;
  const at = prior.ending?.at ?? look.at;
  switch (status) {
    case 'Stopping':
    case 'Stopped':
      return stopOf(prior, look);
    case 'Superseded':
      return { ending: withdrawn(prior) ?? { as: 'Superseded', at, by: {} } };
    case 'Cancelled':
      return { ending: { as: 'Cancelled', at, why: statusSummary ?? 'The pipeline was updated while it ran.' } };
    case 'Failed':
      if (executionStatus(bare, definition) === 'Failed') return {};
      return {
        ending: { as: 'Failed', at, summary: statusSummary ?? 'CodePipeline says that it failed, and not why.' },
      };
    default:
      // What we asked for a moment ago is only not seen yet (CP-X-69).
      if (prior.stop && Date.parse(look.at) - Date.parse(prior.stop.at) < lagMs) return stopOf(prior, look);
      return isLingering(bare, observed, look)
        ? { ending: { as: 'Cancelled', at, why: 'The pipeline was updated while it ran.' } }
        : {};
  }
}

/** A newer commit had it stopped: it reads better as superseded by that commit. */
function withdrawn(prior: AwsExecution): Ending | undefined {
  return prior.ending?.as === 'Superseded' && prior.ending.by.sha !== undefined ? prior.ending : undefined;
}

function stopOf(prior: AwsExecution, look: Look): Pick<AwsExecution, 'stop' | 'ending'> {
  const ending = withdrawn(prior) ?? (prior.ending?.as === 'Stopped' ? prior.ending : undefined);
  const by = { kind: 'penstock', why: 'CodePipeline says that somebody stopped it' } as const;
  const stop = prior.stop ?? { abandon: false, at: look.at, by };
  return { stop, ...(ending ? { ending } : {}) };
}

function isLingering(bare: AwsExecution, observed: Observed, look: Look): boolean {
  const { state, execution } = observed;
  const isOld = (state?.pipelineVersion ?? 0) > (execution.pipelineVersion ?? Infinity);
  const canceled = state?.stageStates?.some((stage) =>
    stage.actionStates?.some((action) => /has been cancell?ed/i.test(action.latestExecution?.summary ?? '')),
  );
  const runs = bare.stages.some((stage) => stage.actions.some((run) => run.status === 'InProgress'));
  return isOld && (canceled === true || !runs) && bare.mode !== 'PARALLEL' && quietFor(observed, look) > lingersMs;
}
