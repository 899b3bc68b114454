import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import type { PipelineDefinition, RuleDeclaration, StageDeclaration } from '../../pipeline/definition.ts';
import type { ConditionKind, RuleRun, StageRun } from '../../pipeline/execution.ts';
import { findExecutionSite, type ExecutionSite } from './execution-site.ts';

/** One evaluation of one rule with everything that the database knows around it. */
export interface RuleSite extends ExecutionSite {
  readonly declaration: RuleDeclaration;
  readonly stage: StageRun;
  readonly condition: ConditionKind;
  /** The stage's attempt that it belongs to. */
  readonly attempt: number;
  readonly run: RuleRun;
}

interface Evaluation {
  readonly kind: ConditionKind;
  readonly attempt: number;
  readonly rules: readonly RuleRun[];
}

/** `undefined` when the stage was tried again meanwhile, or the execution is gone: nothing is left to do. */
export function findRuleSite(db: Kysely<Database>, execution: string, rule: string): Promise<RuleSite | undefined> {
  return findAmong(db, { execution, rule }, currentOf);
}

/** Also an evaluation that a retry replaced: its work may still have to be stopped. */
export function findEvaluation(db: Kysely<Database>, execution: string, rule: string): Promise<RuleSite | undefined> {
  return findAmong(db, { execution, rule }, (stage) => [...(stage.earlierConditions ?? []), ...currentOf(stage)]);
}

function currentOf({ attempt, conditions = {} }: StageRun): readonly Evaluation[] {
  const kinds: readonly ConditionKind[] = ['beforeEntry', 'onSuccess', 'onFailure'];
  return kinds.map((kind) => ({ kind, attempt, rules: conditions[kind]?.rules ?? [] }));
}

async function findAmong(
  db: Kysely<Database>,
  { execution, rule }: { readonly execution: string; readonly rule: string },
  evaluations: (stage: StageRun) => readonly Evaluation[],
): Promise<RuleSite | undefined> {
  const site = await findExecutionSite(db, execution);
  if (!site) return undefined;
  for (const stage of site.record.execution.stages) {
    for (const { kind, attempt, rules } of evaluations(stage)) {
      const run = rules.find((one) => one.id === rule);
      if (!run) continue;
      const declaration = declaredRule(site.definition, stage.stage, kind, run.rule);
      return declaration && { ...site, declaration, stage, condition: kind, attempt, run };
    }
  }
  return undefined;
}

/** What a provider knows the evaluation by. */
export function ruleTokenOf({ record, stage, condition, attempt, run }: RuleSite): string {
  return `${record.execution.id}/${stage.stage}/${condition}.${run.rule}/${attempt}`;
}

function declaredRule(
  definition: PipelineDefinition,
  stage: string,
  kind: ConditionKind,
  rule: string,
): RuleDeclaration | undefined {
  const declared: StageDeclaration | undefined = definition.stages.find((one) => one.name === stage);
  return declared?.[kind]?.conditions?.flatMap((condition) => condition.rules).find((one) => one.name === rule);
}
