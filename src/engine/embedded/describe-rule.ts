import { actionOutputs } from '../../db/action-executions.ts';
import type { RuleInput } from '../../db/engine-tables.ts';
import { hurryJob } from '../../db/jobs.ts';
import type { ActionDeclaration, ActionTypeId, RuleDeclaration } from '../../pipeline/definition.ts';
import { resolveTexts, resolveVariables } from '../../pipeline/variables.ts';
import type { AnyProvider, NamedArtifact, StartedAction } from '../../providers/provider.ts';
import { findInputs, namespacesOf, originOf, outputSources } from './namespaces.ts';
import { ruleTokenOf, type RuleSite } from './rule-site.ts';
import type { EffectRunner } from './run-effect.ts';

export type ResolvedRule =
  | { readonly ok: true; readonly declaration: RuleDeclaration; readonly inputs: readonly NamedArtifact[] }
  | { readonly ok: false; readonly message: string };

/** The rule's configuration and commands with variables resolved, and its input artifacts (CP-V-5, CP-D-27). */
export async function resolveRule(runner: EffectRunner, site: RuleSite): Promise<ResolvedRule> {
  const { record, definition, declaration } = site;
  const outputs = await actionOutputs(runner.db, outputSources(record.execution));
  const namespaces = namespacesOf(record, definition, outputs);
  const configuration = resolveVariables(declaration.configuration, namespaces, declaration.name);
  const commands = resolveTexts(declaration.commands, namespaces, declaration.name);
  if (!configuration.ok) return configuration;
  if (!commands.ok) return commands;
  const inputs = findInputs(declaration.inputArtifacts, outputs);
  if (!inputs.ok) return inputs;
  const resolved = { ...declaration, configuration: configuration.resolved, commands: commands.resolved };
  return { ok: true, declaration: resolved, inputs: inputs.artifacts };
}

export function ruleInput(site: RuleSite, rule: Extract<ResolvedRule, { ok: true }>): RuleInput {
  const { commands } = rule.declaration;
  return {
    configuration: site.declaration.configuration,
    resolvedConfiguration: rule.declaration.configuration,
    ...(commands.length === 0 ? {} : { commands }),
    inputArtifacts: rule.inputs,
  };
}

/** Rule providers that do their work as an action type does. */
const actionTypes: Readonly<Record<string, ActionTypeId>> = {
  Commands: { category: 'Compute', owner: 'AWS', provider: 'Commands', version: '1' },
  CodeBuild: { category: 'Build', owner: 'AWS', provider: 'CodeBuild', version: '1' },
};

/** The rule in an action's words, for the provider that runs it; undefined for rules that are no work. */
export function actionOfRule({ declaration }: Pick<RuleSite, 'declaration'>): ActionDeclaration | undefined {
  const actionTypeId = actionTypes[declaration.ruleTypeId.provider];
  if (!actionTypeId) return undefined;
  const { name, configuration, commands, inputArtifacts, timeoutInMinutes } = declaration;
  return {
    name,
    actionTypeId,
    runOrder: 1,
    configuration,
    commands,
    inputArtifacts,
    outputArtifacts: [],
    outputVariables: [],
    environmentVariables: [],
    ...(timeoutInMinutes === undefined ? {} : { timeoutInMinutes }),
  };
}

export type DescribedRule =
  { readonly ok: true; readonly action: StartedAction<unknown> } | { readonly ok: false; readonly message: string };

/** What the provider is told; the log belongs to the rule execution, the isolation is an action's. */
export function describeRule(
  runner: EffectRunner,
  site: RuleSite,
  work: {
    readonly provider: AnyProvider;
    readonly declaration: ActionDeclaration;
    readonly inputs: readonly NamedArtifact[];
  },
): DescribedRule {
  const { record, run, stage } = site;
  const { execution } = record;
  const configuration = work.provider.configuration.safeParse(work.declaration.configuration);
  if (!configuration.success) {
    const issues = configuration.error.issues.map((issue) => `'${issue.path.join('.')}': ${issue.message}.`);
    return { ok: false, message: `Configuration ${issues.join(' ')}` };
  }
  const isFork = record.context.fork;
  const secrets = isFork ? {} : runner.secretsFor(site.repository);
  const action: StartedAction<unknown> = {
    token: ruleTokenOf(site),
    execution: execution.id,
    actionExecution: run.id,
    pipeline: execution.pipeline,
    stage: stage.stage,
    attempt: site.attempt,
    declaration: work.declaration,
    configuration: configuration.data,
    repository: site.repository,
    inputs: work.inputs,
    outputs: [],
    origin: originOf(record),
    trust: isFork ? 'fork' : 'repository',
    secrets,
    log: runner.logs.log(execution.id, run.id, Object.values(secrets)),
    changed: () =>
      void hurryJob(runner.db, `poll-rule/${run.id}`).catch((error: unknown) => runner.log.warn({ error })),
  };
  return { ok: true, action };
}
