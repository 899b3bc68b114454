import type {
  ListRuleExecutionsInput,
  ListRuleExecutionsOutput,
  RuleExecutionDetail,
} from '@aws-sdk/client-codepipeline';
import { ruleAttempts, ruleRecords, type AttemptRef } from '../db/api-executions.ts';
import type { RuleDeclaration, StageDeclaration } from '../pipeline/definition.ts';
import type { ConditionKind } from '../pipeline/execution.ts';
import type { Operation } from './door.ts';
import { artifactDetails, historyPage, type HistoryPage } from './history.ts';
import { pipelineNamed } from './stored-pipeline.ts';

/** Every evaluation of a rule, newest first (CP-C-9). */
export const listRuleExecutions: Operation<ListRuleExecutionsInput, ListRuleExecutionsOutput> = async (call, input) => {
  const { db } = call.door;
  const pipeline = await pipelineNamed(call, input.pipelineName);
  const source = ruleAttempts.bind(undefined, db);
  const page = await historyPage(call, pipeline, { operation: 'ListRuleExecutions', input, source });
  const records = await ruleRecords(
    db,
    page.attempts.map(({ id }) => id),
  );
  return {
    ruleExecutionDetails: page.attempts.flatMap((attempt) => detailOf(page, attempt, records.get(attempt.id))),
    ...page.token,
  };
};

type Stored = Awaited<ReturnType<typeof ruleRecords>> extends Map<string, infer R> ? R : never;

function detailOf(
  { executions, definitions }: HistoryPage,
  { execution: executionId }: AttemptRef,
  stored: Stored | undefined,
): RuleExecutionDetail[] {
  const execution = executions.get(executionId);
  const definition = execution && definitions[execution.definition];
  const stage = definition?.stages.find(({ name }) => name === stored?.stage);
  const rule = stage && stored && declaredRule(stage, stored.condition, stored.rule);
  if (!definition || !rule || !stored) return [];
  const { state } = stored;
  return [
    {
      pipelineExecutionId: executionId,
      ruleExecutionId: stored.id,
      pipelineVersion: definition.version,
      stageName: stored.stage,
      ruleName: stored.rule,
      startTime: stored.startedAt,
      lastUpdateTime: stored.updatedAt,
      status: state.status,
      input: {
        ruleTypeId: rule.ruleTypeId,
        configuration: { ...rule.configuration },
        ...(stored.input && { resolvedConfiguration: { ...stored.input.resolvedConfiguration } }),
        ...(rule.roleArn !== undefined && { roleArn: rule.roleArn }),
        ...(rule.region !== undefined && { region: rule.region }),
        inputArtifacts: artifactDetails(stored.input?.inputArtifacts),
      },
      output: {
        executionResult: {
          ...(state.externalExecutionId !== undefined && { externalExecutionId: state.externalExecutionId }),
          ...(state.summary !== undefined && { externalExecutionSummary: state.summary }),
          ...(state.externalExecutionUrl !== undefined && { externalExecutionUrl: state.externalExecutionUrl }),
          ...(state.error && { errorDetails: { code: state.error.code, message: state.error.message } }),
        },
      },
    },
  ];
}

function declaredRule(stage: StageDeclaration, kind: ConditionKind, name: string): RuleDeclaration | undefined {
  return stage[kind]?.conditions?.flatMap((condition) => condition.rules).find((rule) => rule.name === name);
}
