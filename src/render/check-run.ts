import { logText } from './log-text.ts';
import { cutEnd } from './markdown.ts';
import type { Phase, StageView } from './stage-view.ts';
import { executionPhase, stagesOf } from './stage-view.ts';
import { summaryOf } from './summary.ts';
import { verdictOf } from './verdict.ts';
import type { AnnotationView, CheckRunView, ExecutionView } from './view.ts';

export type { CheckRunView } from './view.ts';

/**
 * The check runs of one execution: the aggregate, named like the pipeline, and one for each stage that was entered or
 * waits to be. A function of the view alone: drawn again from the same state it is the same, whenever that is.
 */
export function renderExecution(view: ExecutionView): readonly CheckRunView[] {
  const stages = stagesOf(view);
  return [aggregate(view, stages), ...stages.flatMap((stage) => stageCheck(view, stage) ?? [])];
}

function aggregate(view: ExecutionView, stages: readonly StageView[]): CheckRunView {
  const phase = executionPhase(view);
  const verdict = verdictOf(view, phase);
  return {
    stage: '',
    name: view.pipeline,
    detailsUrl: view.detailsUrl,
    ...verdict,
    startedAt: view.execution.startedAt,
    ...completion(verdict, aggregateEnd(view, phase)),
    summary: summaryOf(view, phase),
    ...optionalText(logText(view, stages)),
    // They stand on the checks of their stages; GitHub would show each twice.
    annotations: [],
  };
}

function stageCheck(view: ExecutionView, stage: StageView): CheckRunView | undefined {
  const { phase, run } = stage;
  if (phase.kind === 'not-reached') return undefined;
  const verdict = verdictOf(view, phase, stage);
  return {
    stage: stage.name,
    name: `${view.pipeline} / ${stage.name}`,
    detailsUrl: view.detailsUrl,
    ...verdict,
    ...(run ? { startedAt: run.startedAt } : {}),
    ...completion(verdict, stageEnd(view, phase, stage)),
    summary: summaryOf(view, phase, stage),
    ...optionalText(logText(view, [stage])),
    annotations: annotationsOf(view, stage.name),
  };
}

function completion(verdict: Pick<CheckRunView, 'status'>, at: string | undefined): Pick<CheckRunView, 'completedAt'> {
  return verdict.status === 'completed' && at !== undefined ? { completedAt: at } : {};
}

function aggregateEnd({ execution }: ExecutionView, phase: Phase): string | undefined {
  return execution.ending?.at ?? gateTime(phase) ?? lastEnd(execution.stages) ?? execution.stop?.at;
}

function stageEnd({ execution }: ExecutionView, phase: Phase, { run }: StageView): string | undefined {
  return run?.endedAt ?? gateTime(phase) ?? (run ? lastEnd(run.actions) : undefined) ?? execution.ending?.at;
}

/** A waiting gate counts as completed (GitHub shows buttons only then) since it began to wait. */
function gateTime(phase: Phase): string | undefined {
  return phase.kind === 'gate' ? phase.gates[0]?.run.startedAt : undefined;
}

function lastEnd(runs: readonly { readonly endedAt?: string }[]): string | undefined {
  return runs
    .flatMap((run) => run.endedAt ?? [])
    .toSorted()
    .at(-1);
}

function optionalText(text: string | undefined): Pick<CheckRunView, 'text'> {
  return text === undefined ? {} : { text };
}

const maxAnnotations = 50;

/** Failures first, then in the order they came. */
function annotationsOf(view: ExecutionView, stage: string): readonly AnnotationView[] {
  const rank = { failure: 0, warning: 1, notice: 2 };
  return view.annotations
    .filter((annotation) => annotation.stage === stage)
    .toSorted((a, b) => rank[a.level] - rank[b.level])
    .slice(0, maxAnnotations)
    .map(({ stage: _stage, ...annotation }) => ({
      ...annotation,
      path: annotation.path.replace(/^\.\//, ''),
      message: cutEnd(annotation.message, 10_000),
      ...(annotation.title === undefined ? {} : { title: cutEnd(annotation.title, 255) }),
    }));
}
