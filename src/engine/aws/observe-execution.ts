import type { StageState } from '@aws-sdk/client-codepipeline';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import type { Ending, Execution, SourceRevision } from '../../pipeline/execution.ts';
import { triggerOf } from './find-executions.ts';
import { attemptsOf, declaredStage, executionStatus, isBusy } from '../../pipeline/status.ts';
import type { AwsExecution } from './aws-execution.ts';
import { canonical } from './fingerprint.ts';
import { attributed, stopIntent } from './intents.ts';
import { observeStages } from './observe-stages.ts';
import { isRollingBack } from './settle-stage.ts';
import { lagMs, over, quietFor, type Look, type Observed } from './seen-stage.ts';
import { given } from './read-declaration.ts';
import { isOurRole } from './session.ts';

/** After an update AWS may leave an execution InProgress for ever (CP-X-62); this long without a move it counts as over. */
const lingersMs = 10 * 60_000;
/**
 * The same execution as AWS tells it now. No order of looks and events matters (CP-E-9): what a late read does not know
 * yet is kept (CP-X-69).
 */
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
    trigger: triggerOf(told.trigger) ?? prior.trigger,
    sourceRevisions: revisionsOf(prior, observed),
    variables: told.variables?.length
      ? told.variables.map(({ name = '', resolvedValue = '' }) => ({ name, value: resolvedValue }))
      : prior.variables,
    stages: attributed(prior.aws.asked, observeStages(prior, definition, observed, look), (arn) =>
      isOurRole(arn, look.roleArn),
    ),
    aws: { ...kept.aws, ...logsOf(prior, observed), ...given({ version: observed.execution.pipelineVersion }) },
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

/** A service that told of a log once is not asked again. */
function logsOf(prior: AwsExecution, { stories }: Observed): Pick<AwsExecution['aws'], 'logs'> {
  const found = Object.entries(stories).flatMap(([id, { log }]) => (log ? [[id, log] as const] : []));
  return found.length === 0 ? {} : { logs: { ...prior.aws.logs, ...Object.fromEntries(found) } };
}

function revisionsOf(prior: AwsExecution, { execution, actions, revisions = [] }: Observed): readonly SourceRevision[] {
  const byArtifact = (execution.artifactRevisions ?? []).flatMap((revision): SourceRevision[] => {
    const source = actions.find((action) =>
      (action.output?.outputArtifacts ?? []).some((artifact) => artifact.name === revision.name),
    );
    if (revision.revisionId === undefined || source?.actionName === undefined) return [];
    const { revisionId, revisionSummary, revisionUrl } = revision;
    return [{ actionName: source.actionName, revisionId, ...given({ revisionSummary, revisionUrl }) }];
  });
  const told = revisions.length > 0 ? revisions : byArtifact;
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
      return stopOf(prior, observed, look);
    case 'Superseded':
      return { ending: withdrawn(prior) ?? { as: 'Superseded', at, by: {} } };
    case 'Cancelled':
      return { ending: { as: 'Cancelled', at, why: statusSummary ?? updated } };
    case 'Failed':
      return failureOf(prior, bare, definition, observed, look);
    default:
      if (prior.ending?.as === 'Failed' && isFinalFailure(bare, definition)) return { ending: prior.ending };
      return stillOf(prior, bare, observed, look);
  }
}

/** Nothing, where a stage shows the failure by itself. */
function failureOf(
  prior: AwsExecution,
  bare: AwsExecution,
  definition: PipelineDefinition,
  observed: Observed,
  look: Look,
): Pick<AwsExecution, 'ending'> {
  if (executionStatus(bare, definition) === 'Failed') return {};
  const isFinal = isFinalFailure(bare, definition);
  // What runs, or ran a moment ago, belongs to a retry or an override, or its failure is not listed yet (CP-X-69).
  const isLate = !isFinal && (isBusy(bare) || quietFor(observed, look) <= lagMs);
  if (isLate) return prior.ending && !isBusy(bare) ? { ending: prior.ending } : {};
  const summary = observed.execution.statusSummary ?? 'CodePipeline says that it failed, and not why.';
  return { ending: { as: 'Failed', at: prior.ending?.at ?? look.at, summary } };
}

/** No stage shows it, and nothing but an override leads on: a success condition rolled back (CP-C-7). */
function isFinalFailure({ stages }: AwsExecution, definition: PipelineDefinition): boolean {
  return stages.some((run) => isRollingBack(run, declaredStage(definition, run.stage)));
}

const updated = 'The pipeline was updated while it ran.';

/** AWS says that it runs, or a word that nobody knows yet; the read may be the older one (CP-X-69). */
function stillOf(
  prior: AwsExecution,
  bare: AwsExecution,
  observed: Observed,
  look: Look,
): Pick<AwsExecution, 'stop' | 'ending'> {
  const known = new Set(prior.stages.flatMap((stage) => attemptsOf(stage)).map(({ id }) => id));
  const isRetried = bare.stages.some((stage) => stage.actions.some(({ id, attempt }) => attempt > 1 && !known.has(id)));
  // Only from these does nothing lead back.
  if (prior.ending?.as === 'Superseded' || prior.ending?.as === 'Cancelled') return { ending: prior.ending };
  // What we asked for a moment ago is only not seen yet.
  const isFresh = prior.stop !== undefined && Date.parse(look.at) - Date.parse(prior.stop.at) < lagMs;
  if (isFresh && !isRetried) return stopOf(prior, observed, look);
  return isLingering(bare, observed, look) ? { ending: { as: 'Cancelled', at: look.at, why: updated } } : {};
}

/** A newer commit had it stopped: it reads better as superseded by that commit. */
function withdrawn(prior: AwsExecution): Ending | undefined {
  return prior.ending?.as === 'Superseded' && prior.ending.by.sha !== undefined ? prior.ending : undefined;
}

function stopOf(prior: AwsExecution, { execution }: Observed, look: Look): Pick<AwsExecution, 'stop' | 'ending'> {
  const by = { kind: 'penstock', why: 'CodePipeline says that somebody stopped it' } as const;
  const stop = prior.stop ?? stopIntent(prior.aws.asked) ?? { abandon: false, at: look.at, by };
  const { status, statusSummary: why } = execution;
  const told = status === 'Stopped' && why !== undefined ? { as: 'Stopped' as const, at: look.at, why } : undefined;
  const ending = withdrawn(prior) ?? (prior.ending?.as === 'Stopped' ? prior.ending : told);
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
