import { policyWords } from '../commands/approvers.ts';
import { defaultGatePolicy } from '../commands/gate-policy.ts';
import type { ApprovalLimits } from '../config/server-types.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { formatProblem, type Problem } from '../pipeline/problem.ts';
import type { PlanEntry } from '../render/questions.ts';
import { limitedGates } from './gather-context.ts';
import type { StartPlan } from './start-plan.ts';

/** What one event does with a pipeline, with its gates as the server limits them. The gates are told without an asker. */
export function planEntry(
  limits: ApprovalLimits,
  plan: StartPlan,
  definition: PipelineDefinition | undefined,
): PlanEntry {
  const policies = limitedGates(plan.pipeline.gates, limits);
  const gates = (definition?.stages ?? []).flatMap((stage) =>
    stage.actions
      .filter((action) => action.actionTypeId.category === 'Approval')
      .map((action) => {
        const policy = policies[`${stage.name}/${action.name}`] ?? defaultGatePolicy;
        return { stage: stage.name, action: action.name, needs: policyWords(policy) };
      }),
  );
  const why = plan.kind === 'broken' ? `its declaration is broken: ${firstOf(plan.problems)}` : plan.reason;
  return { pipeline: plan.pipeline.name, starts: plan.kind === 'start', why, gates };
}

/** The entries of the configuration that governs, each with what the proposed one would change; and those that it adds. */
export function compared(governing: readonly PlanEntry[], proposed: readonly PlanEntry[]): readonly PlanEntry[] {
  const entries = governing.map((entry) => {
    const after = proposed.find((one) => one.pipeline === entry.pipeline);
    if (!after) return { ...entry, inPullRequest: 'it is removed' };
    if (inWords(after) === inWords(entry)) return entry;
    return { ...entry, inPullRequest: inWords(after) };
  });
  const added = proposed.filter((one) => !governing.some((entry) => entry.pipeline === one.pipeline));
  const fresh = added.map((one) => ({
    pipeline: one.pipeline,
    starts: false,
    why: 'it is not on the base branch',
    gates: [],
    inPullRequest: inWords(one),
  }));
  return [...entries, ...fresh];
}

function inWords({ starts, why, gates }: PlanEntry): string {
  const needs = gates.map((gate) => `; ${gate.stage}/${gate.action} needs ${gate.needs}`).join('');
  return `${starts ? 'it starts' : 'it does not start'}: ${why}${needs}`;
}

export function firstOf([first, ...more]: readonly Problem[]): string {
  const others = more.length === 0 ? '' : ` And ${more.length} more.`;
  return first ? `${formatProblem(first)}${others}` : 'it cannot be read.';
}
