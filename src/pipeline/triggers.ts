import type { Patterns, PipelineDefinition, PullRequestEventName, TriggerFilters } from './definition.ts';
import { judgeFiles, judgeName, quote, type Judgement } from './patterns.ts';

/** What happened on GitHub, as far as triggers care (CP 6.2). `paths` are the changed files, from the root. */
export type TriggerEvent =
  | {
      readonly kind: 'push-branch';
      readonly branch: string;
      /** The push made the branch, so there is nothing to compare it with. */
      readonly created: boolean;
      readonly paths: readonly string[];
      /** GitHub did not list all changed files. */
      readonly truncated: boolean;
    }
  | { readonly kind: 'push-tag'; readonly tag: string }
  | {
      readonly kind: 'pull-request';
      readonly event: PullRequestEventName;
      /** The branch that the pull request wants to be merged into (CP-D-33). */
      readonly baseBranch: string;
      readonly paths: readonly string[];
      readonly truncated: boolean;
    };

export interface TriggerDecision {
  readonly starts: boolean;
  /** One sentence, without a full stop, that a developer understands. Outside text in it stands in backticks. */
  readonly reason: string;
  /** Where AWS would have decided otherwise, or where the list of files was cut. */
  readonly warnings: readonly string[];
}

/** OR between the filters of the event's kind, AND between the fields of one (CP-D-30). */
export function decideTrigger(filters: TriggerFilters, event: TriggerEvent): TriggerDecision {
  const judgements = judge(filters, event);
  const starting = judgements.find((judgement) => judgement.matches);
  if (starting) return { starts: true, reason: starting.why, warnings: starting.warnings };
  if (judgements.length === 0) return { starts: false, reason: nothingFor(event), warnings: [] };
  const reasons = new Set(judgements.map((judgement) => judgement.why));
  const warnings = new Set(judgements.flatMap((judgement) => judgement.warnings));
  return { starts: false, reason: [...reasons].join('; '), warnings: [...warnings] };
}

/** The declaration's own triggers, else `on:`, else what its source action says (CP-D-29, design 6a). */
export function filtersOf(definition: PipelineDefinition, on?: TriggerFilters): TriggerFilters {
  if (definition.triggers.length === 0) return on ?? sourceFilters(definition);
  const own = definition.triggers.map(({ gitConfiguration }): TriggerFilters =>
    gitConfiguration.push || gitConfiguration.pullRequest
      ? gitConfiguration
      : { push: branchOf(definition, gitConfiguration.sourceActionName).map((branches) => ({ branches })) },
  );
  return {
    push: own.flatMap((filters) => filters.push ?? []),
    pullRequest: own.flatMap((filters) => filters.pullRequest ?? []),
  };
}

/** Whether the changed files have to be asked for before an event of this kind (any kind by default) is decided. */
export function needsFiles(filters: TriggerFilters, kind?: TriggerEvent['kind']): boolean {
  if (kind === 'push-tag') return false;
  const push = kind === 'pull-request' ? [] : (filters.push ?? []);
  const pullRequest = kind === 'push-branch' ? [] : (filters.pullRequest ?? []);
  return [...push, ...pullRequest].some((filter) => filter.filePaths !== undefined);
}

function judge(filters: TriggerFilters, event: TriggerEvent): Judgement[] {
  switch (event.kind) {
    case 'push-branch':
      return (filters.push ?? []).map((filter) =>
        filter.tags ? no('the filter is for tags only') : judgeBranch(filter, event, 'branch', event.branch),
      );
    case 'push-tag':
      return (filters.push ?? []).map((filter) =>
        filter.tags ? judgeName('tag', filter.tags, event.tag) : no('the filter is for branches only'),
      );
    case 'pull-request':
      return (filters.pullRequest ?? []).map((filter) =>
        filter.events && !filter.events.includes(event.event)
          ? no(`the pull request event ${event.event} is not among ${filter.events.join(', ')}`)
          : judgeBranch(filter, { ...event, created: false }, 'target branch', event.baseBranch),
      );
    default:
      return event satisfies never;
  }
}

interface Diff {
  readonly created: boolean;
  readonly paths: readonly string[];
  readonly truncated: boolean;
}

function judgeBranch(
  filter: { readonly branches?: Patterns; readonly filePaths?: Patterns },
  diff: Diff,
  what: string,
  branch: string,
): Judgement {
  const name = judgeName(what, filter.branches ?? {}, branch);
  if (!name.matches || !filter.filePaths) return name;
  if (diff.created) return no(`${quote(branch)} is a new branch, and a filter on files never matches a new branch`);
  const files = judgeFiles(filter.filePaths, diff.paths);
  if (files.matches) return { ...files, why: `${name.why} and ${files.why}` };
  if (!diff.truncated) return files;
  const warning = `GitHub listed only ${diff.paths.length} of the changed files, so the file filter could not be judged; started to be safe`;
  return { matches: true, why: name.why, warnings: [...files.warnings, warning] };
}

function nothingFor(event: TriggerEvent): string {
  switch (event.kind) {
    case 'push-branch':
    case 'push-tag':
      return 'nothing in its triggers starts it for a push';
    case 'pull-request':
      return 'nothing in its triggers starts it for a pull request';
    default:
      return event satisfies never;
  }
}

/** Without triggers a source action watches its own branch; Penstock adds the pull requests into that branch. */
function sourceFilters(definition: PipelineDefinition): TriggerFilters {
  const branches = definition.stages[0]?.actions.flatMap((action) => branchOf(definition, action.name)) ?? [];
  const push = branches.map((patterns) => ({ branches: patterns }));
  return { push, pullRequest: push.map((filter) => ({ ...filter, events: ['OPEN', 'UPDATED'] })) };
}

function branchOf(definition: PipelineDefinition, sourceAction: string): Patterns[] {
  const source = definition.stages[0]?.actions.find((action) => action.name === sourceAction);
  if (!source || isDetectionOff(source.configuration)) return [];
  const branch = source.configuration['BranchName'] ?? source.configuration['Branch'];
  return branch === undefined ? [] : [{ includes: [branch.replaceAll(/[\\*?[\]{}]/g, String.raw`\$&`)] }];
}

/** Of the words for polling only true means yes (CP-P-1). */
function isDetectionOff({
  DetectChanges: detect,
  PollForSourceChanges: poll = 'true',
}: Readonly<Record<string, string>>): boolean {
  return detect === undefined ? poll.toLowerCase() !== 'true' : detect.toLowerCase() === 'false';
}

function no(why: string): Judgement {
  return { matches: false, why, warnings: [] };
}
