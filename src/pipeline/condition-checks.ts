import { parseCron } from './cron.ts';
import type {
  Condition,
  ConditionResult,
  PipelineDefinition,
  RuleDeclaration,
  StageDeclaration,
} from './definition.ts';
import type { ConditionKind } from './execution.ts';
import { closest } from './closest.ts';
import { compileRegex } from './regex.ts';
import { stageError, warning, type Finding, type Path } from './finding.ts';
import { eachAction, repeats } from './structure-checks.ts';
import { timeZoneProblem } from './time-zone.ts';

/** Rules about stage conditions (CP-C-4, CP-C-5, CP-X-50) and the rule providers of CP 2.10. */
export function conditionFindings({ stages }: PipelineDefinition): Finding[] {
  const kinds: ConditionKind[] = ['beforeEntry', 'onSuccess', 'onFailure'];
  return stages.flatMap((stage, index) => [
    ...inputFindings(stages, index),
    ...kinds.flatMap((kind) =>
      (stage[kind]?.conditions ?? []).flatMap((condition, at) =>
        conditionFindingsOf(stage, kind, condition, ['stages', index, kind, 'conditions', at]),
      ),
    ),
    ...failureFindings(stage, ['stages', index, 'onFailure']),
  ]);
}

/** CP-D-8: before entry only earlier stages have put something out, afterwards the stage itself has, too. */
function inputFindings(stages: readonly StageDeclaration[], stageIndex: number): Finding[] {
  const kinds: ConditionKind[] = ['beforeEntry', 'onSuccess', 'onFailure'];
  return kinds.flatMap((kind) => {
    const reach = kind === 'beforeEntry' ? stageIndex - 1 : stageIndex;
    const placed = eachAction(stages).filter((one) => one.stageIndex <= reach);
    const known = placed.flatMap(({ action }) => action.outputArtifacts.map((artifact) => artifact.name));
    return (stages[stageIndex]?.[kind]?.conditions ?? []).flatMap(({ rules }, at) =>
      rules.flatMap((rule, ruleAt) =>
        rule.inputArtifacts.flatMap(({ name }, index) => {
          if (known.includes(name)) return [];
          const path = ['stages', stageIndex, kind, 'conditions', at, 'rules', ruleAt, 'inputArtifacts', index, 'name'];
          const message = `Input artifact '${name}' of rule '${rule.name}' is not the output of an action that ran before`;
          const mend = known.length > 0 ? `Use one of ${known.join(', ')}.` : 'Leave it out.';
          return [stageError(path, 'D-8', message, mend)];
        }),
      ),
    );
  });
}

const legalResults: Readonly<Record<ConditionKind, readonly ConditionResult[]>> = {
  beforeEntry: ['FAIL', 'SKIP'],
  onSuccess: ['ROLLBACK', 'FAIL'],
  onFailure: ['ROLLBACK', 'RETRY'],
};

function conditionFindingsOf(
  stage: StageDeclaration,
  kind: ConditionKind,
  condition: Condition,
  path: Path,
): Finding[] {
  const { result, rules } = condition;
  const found = resultFindings(stage, kind, result, [...path, 'result']);
  // Executions of rules are told apart by name.
  for (const index of repeats(rules.map((rule) => rule.name))) {
    const message = `Rule name '${rules[index]?.name ?? ''}' is used more than once in ${kind} of stage '${stage.name}'`;
    found.push(stageError([...path, 'rules', index, 'name'], 'D-6', message, 'Give each rule its own name.'));
  }
  for (const [index, rule] of rules.entries()) {
    const at = [...path, 'rules', index];
    if (result === 'SKIP' && !['LambdaInvoke', 'VariableCheck'].includes(rule.ruleTypeId.provider)) {
      const message = `Rule '${rule.name}' of stage '${stage.name}': SKIP works only with LambdaInvoke and VariableCheck`;
      found.push(stageError(at, 'C-5', message, 'Use one of these rules, or the result FAIL.'));
    }
    found.push(...ruleFindings(rule, at));
  }
  return found;
}

function resultFindings(stage: StageDeclaration, kind: ConditionKind, result: ConditionResult | undefined, path: Path) {
  if (result === undefined || legalResults[kind].includes(result)) return [];
  const message = `Stage '${stage.name}': ${kind} cannot have the result ${result}`;
  return [stageError(path, 'C-4', message, `Use ${legalResults[kind].join(' or ')}.`)];
}

function failureFindings({ name, onFailure }: StageDeclaration, path: Path): Finding[] {
  if (!onFailure) return [];
  const { result, conditions, retryConfiguration } = onFailure;
  const found: Finding[] = [];
  if (result !== undefined && !legalResults.onFailure.includes(result)) {
    const message = `Stage '${name}': onFailure cannot have the result ${result}`;
    found.push(stageError([...path, 'result'], 'C-4', message, 'Use ROLLBACK or RETRY.'));
  }
  if (retryConfiguration && result !== 'RETRY' && conditions?.[0]?.result !== 'RETRY') {
    const message = `Stage '${name}': retryConfiguration has no effect without the result RETRY`;
    found.push(stageError([...path, 'retryConfiguration'], 'X-50', message, 'Set result to RETRY, or leave it out.'));
  }
  if (result === 'RETRY' && conditions) {
    const message = `Stage '${name}': AWS documents automatic retry without conditions only`;
    found.push(warning([...path, 'conditions'], 'X-50', message, 'Leave out the conditions to be on the safe side.'));
  }
  return found;
}

const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  VariableCheck: ['Variable', 'Value', 'Operator'],
  DeploymentWindow: ['Cron'],
  CloudWatchAlarm: ['AlarmName'],
  LambdaInvoke: ['FunctionName'],
  CodeBuild: ['ProjectName'],
  Commands: [],
};

function ruleFindings(rule: RuleDeclaration, path: Path): Finding[] {
  const { provider } = rule.ruleTypeId;
  const required = Object.hasOwn(requiredKeys, provider) ? requiredKeys[provider] : undefined;
  if (!required) {
    const message = `Rule '${rule.name}' names the provider '${provider}', which does not exist`;
    return [stageError([...path, 'ruleTypeId'], 'C-4', message, `Use one of ${Object.keys(requiredKeys).join(', ')}.`)];
  }
  if (rule.ruleTypeId.version !== '1') {
    const message = `Rule '${rule.name}' names version '${rule.ruleTypeId.version}' of '${provider}', which does not exist`;
    return [stageError([...path, 'ruleTypeId', 'version'], 'C-4', message, 'Write version: "1".')];
  }
  const missing = required.filter((key) => !Object.hasOwn(rule.configuration, key));
  return [
    ...unknownKeys(rule, required, path),
    ...missing.map((key) => {
      const message = `Rule configuration for rule '${rule.name}' is missing required configuration '${key}'`;
      return stageError([...path, 'configuration'], 'D-11', message, `Add ${key}.`);
    }),
    ...(provider === 'Commands' && rule.commands.length === 0
      ? [stageError(path, 'D-19', `Rule ${rule.name} must have a non-empty commands field`, 'Add commands.')]
      : []),
    ...valueFindings(rule, path),
    ...grantFindings(rule, path),
  ];
}

const optionalKeys: Readonly<Record<string, readonly string[]>> = {
  DeploymentWindow: ['TimeZone'],
  CloudWatchAlarm: ['AlarmStates', 'WaitTime'],
  LambdaInvoke: ['UserParameters'],
  CodeBuild: ['PrimarySource', 'BatchEnabled', 'CombineArtifacts', 'EnvironmentVariables'],
};

/** Warnings: AWS may know more than this table. */
function unknownKeys({ name, ruleTypeId, configuration }: RuleDeclaration, required: readonly string[], path: Path) {
  const known = [...required, ...(optionalKeys[ruleTypeId.provider] ?? [])];
  return Object.keys(configuration).flatMap((key) => {
    if (known.includes(key)) return [];
    const message = `Rule configuration for rule '${name}' contains unknown configuration '${key}'`;
    const near = closest(key, known);
    const mend = near === undefined ? `Leave it out; known: ${known.join(', ') || 'none'}.` : `Did you mean ${near}?`;
    return [warning([...path, 'configuration', key], 'D-11', message, mend)];
  });
}

function grantFindings({ name, ruleTypeId: { provider } }: RuleDeclaration, path: Path): Finding[] {
  if (provider !== 'LambdaInvoke' && provider !== 'CloudWatchAlarm') return [];
  const message = `The embedded engine judges the ${provider} rule '${name}' only where the operator allows it.`;
  const mend = 'Ask for embedded.aws in penstock.server.yml, or use the AWS engine.';
  return [warning([...path, 'ruleTypeId', 'provider'], 'P-6', message, mend)];
}

function valueFindings(rule: RuleDeclaration, path: Path): Finding[] {
  switch (rule.ruleTypeId.provider) {
    case 'VariableCheck':
      return comparisonFindings(rule, path);
    case 'DeploymentWindow':
      return windowFindings(rule, path);
    default:
      return [];
  }
}

function comparisonFindings({ name, configuration }: RuleDeclaration, path: Path): Finding[] {
  const { Operator: operator, Value: pattern = '' } = configuration;
  const known = ['EQ', 'NE', 'CONTAINS', 'MATCHES'];
  if (operator !== undefined && !known.includes(operator)) {
    const message = `Rule '${name}': Operator ${operator} is not known`;
    return [stageError([...path, 'configuration', 'Operator'], 'D-11', message, `Use ${known.join(', ')}.`)];
  }
  if (operator !== 'MATCHES' || pattern.includes('#{')) return [];
  const regex = compileRegex(pattern);
  if (regex.ok) return [];
  const message = `Rule '${name}' cannot be judged by the embedded engine: in the pattern '${pattern}' ${regex.problem}`;
  const mend = 'Escape signs that are meant literally; lookaround, backreferences, flags and \\p are not supported.';
  return [warning([...path, 'configuration', 'Value'], 'C-8', message, mend)];
}

function windowFindings({ name, configuration }: RuleDeclaration, path: Path): Finding[] {
  const { Cron: cron, TimeZone: zone } = configuration;
  const refuse = (key: string, problem: string, mend: string): Finding =>
    stageError([...path, 'configuration', key], 'D-11', `Rule '${name}': ${problem}`, mend);
  const window = cron === undefined ? undefined : parseCron(cron);
  const zoneProblem = zone === undefined ? undefined : timeZoneProblem(zone);
  return [
    ...(window?.ok === false
      ? [refuse('Cron', window.problem, 'Write six fields, such as 0 0 9-17 ? * MON-FRI.')]
      : []),
    ...(zoneProblem === undefined ? [] : [refuse('TimeZone', zoneProblem, 'Write Region/City or UTC+HH:MM.')]),
  ];
}
