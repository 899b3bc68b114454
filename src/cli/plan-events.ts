import type { LoadedConfiguration } from '../config/load.ts';
import { repositoryConfigPath } from '../config/repository.ts';
import { compared, planEntry } from '../handlers/plan-entry.ts';
import { planStarts, type StartPlan } from '../handlers/start-plan.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { formatProblem } from '../pipeline/problem.ts';
import type { TriggerEvent } from '../pipeline/triggers.ts';
import type { PlanEntry } from '../render/questions.ts';
import type { PlanTree } from './plan-tree.ts';

/** What one thing that can happen to a working tree starts. */
export interface PlannedEvent {
  /** `Opened as a pull request into main`, without a full stop. */
  readonly what: string;
  /** Whose configuration decides. */
  readonly governedBy: string;
  /** In place of entries: why nothing can be said, or what is broken. */
  readonly problem?: string;
  readonly entries: readonly PlanEntry[];
}

interface Configurations {
  /** Of the branch to merge into. */
  readonly base: LoadedConfiguration;
  /** Of the working tree. */
  readonly own: LoadedConfiguration;
}

/** The operator's limits are not known here, so the gates are told as the repository wants them. */
const noLimits = { allowAuthor: true, allowLastPusher: true, allowCommitters: true } as const;

/** A pull request, its merge, and a tag where one is named. */
export function planEvents(
  { into, paths }: PlanTree,
  { base, own }: Configurations,
  tag: string | undefined,
): readonly PlannedEvent[] {
  const files = { paths, truncated: false } as const;
  const opened = { kind: 'pull-request', event: 'OPEN', baseBranch: into, ...files } as const;
  const merged = { kind: 'push-branch', branch: into, created: false, ...files } as const;
  return [
    asPullRequest(into, planned(base, opened, into), planned(own, opened, 'this tree')),
    { what: `Merged, as a push to ${into}`, ...planned(own, merged, 'this tree') },
    ...(tag === undefined ? [] : [{ what: `Tagged ${tag}`, ...planned(own, { kind: 'push-tag', tag }, 'this tree') }]),
  ];
}

type Planned = Omit<PlannedEvent, 'what'>;

/** The base decides; what this tree changes in the configuration is told beside it, as /plan does. */
function asPullRequest(into: string, base: Planned, own: Planned): PlannedEvent {
  const what = `Opened as a pull request into ${into}`;
  if (base.problem !== undefined || own.problem !== undefined) return { what, ...base };
  return { what, ...base, entries: compared(base.entries, own.entries) };
}

function planned(loaded: LoadedConfiguration, event: TriggerEvent, where: string): Planned {
  const governedBy = `the configuration of ${where}`;
  switch (loaded.kind) {
    case 'none':
      return { governedBy, problem: `${where} has no ${repositoryConfigPath}, so nothing starts`, entries: [] };
    case 'broken':
      return { governedBy, problem: loaded.problems.map(formatProblem).join('\n'), entries: [] };
    case 'ok': {
      const entries = planStarts(loaded, event).map((plan) => entryOf(plan, loaded.definitions[plan.pipeline.name]));
      return { governedBy, entries };
    }
    default:
      return loaded satisfies never;
  }
}

function entryOf(plan: StartPlan, definition: PipelineDefinition | undefined): PlanEntry {
  const entry = planEntry(noLimits, plan, definition);
  if (plan.pipeline.definition.kind !== 'bound') return entry;
  return { ...entry, why: 'CodePipeline holds its declaration; /plan in the pull request reads it' };
}
