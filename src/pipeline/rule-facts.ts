import { putCondition } from './conditions.ts';
import type { Draft, Verdict } from './draft.ts';
import type { ConditionKind, Execution, RuleRun, StageRun } from './execution.ts';
import type { RuleFact } from './fact.ts';

interface FoundRule {
  readonly execution: Execution;
  readonly run: StageRun;
  readonly kind: ConditionKind;
  readonly rule: RuleRun;
}

export function ruleReported(draft: Draft, fact: RuleFact): Verdict {
  const found = findRule(draft, fact);
  if (!found) return { ignored: `Rule execution ${fact.rule} is of an earlier attempt or not known.` };
  if (found.rule.status !== 'InProgress')
    return { ignored: `Rule ${found.rule.rule} is ${found.rule.status} already.` };
  const rule = reported(draft, found.rule, fact);
  if (JSON.stringify(rule) === JSON.stringify(found.rule)) return { ignored: `Nothing new about rule ${rule.rule}.` };
  const condition = found.run.conditions?.[found.kind];
  if (!condition) return { ignored: `Rule ${rule.rule} has no condition any more.` };
  const rules = condition.rules.map((other) => (other.id === rule.id ? rule : other));
  putCondition(draft, fact.execution, found.run, found.kind, { ...condition, rules });
  draft.due.add(fact.execution);
  return 'moved';
}

/** Every rule of every condition of the stage that the execution is in. */
function findRule(draft: Draft, fact: RuleFact): FoundRule | undefined {
  const execution = draft.executions[fact.execution];
  const run = execution?.stages.at(-1);
  const kinds: ConditionKind[] = ['beforeEntry', 'onSuccess', 'onFailure'];
  for (const kind of kinds) {
    const rule = run?.conditions?.[kind]?.rules.find((other) => other.id === fact.rule);
    if (execution && run && rule) return { execution, run, kind, rule };
  }
  return undefined;
}

function reported(draft: Draft, rule: RuleRun, fact: RuleFact): RuleRun {
  const known = {
    ...('externalExecutionId' in fact && { externalExecutionId: fact.externalExecutionId }),
    ...('externalExecutionUrl' in fact && { externalExecutionUrl: fact.externalExecutionUrl }),
    ...('summary' in fact && { summary: fact.summary }),
  };
  switch (fact.kind) {
    case 'rule-running':
      return { ...rule, ...known };
    case 'rule-succeeded':
      return { ...rule, ...known, status: 'Succeeded', endedAt: draft.at };
    case 'rule-failed':
      return { ...rule, ...known, status: 'Failed', endedAt: draft.at, summary: fact.error.message, error: fact.error };
    case 'rule-errored':
      return { ...failed(draft, rule, fact.error), ...known, errored: true };
    case 'rule-deadline-passed':
      return failed(draft, rule, { code: 'RuleTimedOut', message: `The rule ${rule.rule} was not met in time.` });
    default:
      return fact satisfies never;
  }
}

function failed(draft: Draft, rule: RuleRun, error: { code: string; message: string }): RuleRun {
  return { ...rule, status: 'Failed', endedAt: draft.at, summary: error.message, error };
}
