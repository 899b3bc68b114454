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
  readonly run: RuleRun;
}

const kinds: readonly ConditionKind[] = ['beforeEntry', 'onSuccess', 'onFailure'];

/** `undefined` when the stage was tried again meanwhile, or the execution is gone: nothing is left to do. */
export async function findRuleSite(
  db: Kysely<Database>,
  execution: string,
  rule: string,
): Promise<RuleSite | undefined> {
  const site = await findExecutionSite(db, execution);
  if (!site) return undefined;
  for (const stage of site.record.execution.stages) {
    for (const condition of kinds) {
      const run = stage.conditions?.[condition]?.rules.find((one) => one.id === rule);
      if (!run) continue;
      const declaration = declaredRule(site.definition, stage.stage, condition, run.rule);
      return declaration && { ...site, declaration, stage, condition, run };
    }
  }
  return undefined;
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
