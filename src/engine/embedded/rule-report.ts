import type { ActionError } from '../../pipeline/execution.ts';
import type { RuleFact } from '../../pipeline/fact.ts';
import type { ActionReport } from '../../providers/provider.ts';
import { applyInput } from './apply-input.ts';
import type { RuleSite } from './rule-site.ts';
import type { EffectRunner } from './run-effect.ts';

/** How the evaluation of a rule stands. */
export type RuleReport =
  | {
      readonly kind: 'running';
      readonly summary?: string;
      readonly externalId?: string;
      readonly externalUrl?: string;
      /** Absent: somebody else will say how it ends. */
      readonly pollAfterMs?: number;
    }
  | { readonly kind: 'succeeded'; readonly summary?: string; readonly externalId?: string }
  /** `errored`: it could not be evaluated (CP-C-8). */
  | { readonly kind: 'failed' | 'errored'; readonly error: ActionError; readonly externalId?: string };

/** Codes that say: the rule itself could not be judged, and not: it does not hold. */
const unjudged: ReadonlySet<string> = new Set(['ConfigurationError', 'PermissionError', 'ActionLost']);

/** A rule that ran as an action of the same type would. */
export function reportOfAction(report: ActionReport): RuleReport {
  switch (report.kind) {
    case 'running':
      return report;
    case 'waiting':
      return { kind: 'running' };
    case 'succeeded':
      return {
        kind: 'succeeded',
        ...(report.summary === undefined ? {} : { summary: report.summary }),
        ...(report.externalId === undefined ? {} : { externalId: report.externalId }),
      };
    case 'failed':
      return { ...report, kind: unjudged.has(report.error.code) ? 'errored' : 'failed' };
    default:
      return report satisfies never;
  }
}

/** Tells the core; late and repeated reports change nothing. */
export async function applyRuleReport(runner: EffectRunner, site: RuleSite, report: RuleReport): Promise<void> {
  if (report.kind !== 'running') runner.logs.close(site.run.id);
  await applyRuleFact(runner, site, factOf(site, report));
}

export async function applyRuleFact(runner: EffectRunner, site: RuleSite, fact: RuleFact): Promise<void> {
  const { record } = site;
  await applyInput(runner.db, {
    lane: record.execution.lane,
    repositoryId: record.repositoryId,
    pipeline: record.execution.pipeline,
    pullRequest: record.pullRequest,
    input: fact,
    by: { kind: 'penstock', why: 'the rule reported' },
    at: runner.now(),
    seed: record.execution.id,
  });
}

function factOf(site: RuleSite, report: RuleReport): RuleFact {
  const about = { execution: site.record.execution.id, rule: site.run.id };
  const external = report.externalId === undefined ? {} : { externalExecutionId: report.externalId };
  switch (report.kind) {
    case 'running':
      return {
        kind: 'rule-running',
        ...about,
        ...external,
        ...(report.summary === undefined ? {} : { summary: report.summary }),
        ...(report.externalUrl === undefined ? {} : { externalExecutionUrl: report.externalUrl }),
      };
    case 'succeeded':
      return {
        kind: 'rule-succeeded',
        ...about,
        ...external,
        ...(report.summary === undefined ? {} : { summary: report.summary }),
      };
    case 'failed':
      return { kind: 'rule-failed', ...about, ...external, error: report.error };
    case 'errored':
      return { kind: 'rule-errored', ...about, ...external, error: report.error };
    default:
      return report satisfies never;
  }
}
