import { actionOutputs } from '../../db/action-executions.ts';
import type { ActionInput } from '../../db/engine-tables.ts';
import { hurryJob } from '../../db/jobs.ts';
import type { ActionDeclaration } from '../../pipeline/definition.ts';
import type { Execution, SourceRevision } from '../../pipeline/execution.ts';
import { resolveTexts, resolveVariables } from '../../pipeline/variables.ts';
import type { ActionReport, AnyProvider, NamedArtifact, StartedAction } from '../../providers/provider.ts';
import { tokenOf, type ActionSite } from './action-site.ts';
import { findInputs, namespacesOf, originOf, outputSources } from './namespaces.ts';
import type { EffectRunner } from './run-effect.ts';

export type Described =
  | { readonly kind: 'ready'; readonly action: StartedAction<unknown>; readonly input: ActionInput }
  /** It cannot start: a variable or its configuration does not hold. Failed is data. */
  | { readonly kind: 'unresolved'; readonly report: ActionReport };

/** CP 1.5. */
const mostConfigurationBytes = 100 * 1024;

/** Gathers what the provider is told: resolved configuration, artifacts in and out, secrets, a log (CP-V-4, CP-D-27). */
export async function describeAction(
  runner: EffectRunner,
  site: ActionSite,
  provider: AnyProvider,
): Promise<Described> {
  const { execution, context } = site.record;
  const outputs = await actionOutputs(runner.db, outputSources(execution));
  const resolved = resolveDeclaration(site, namespacesOf(site.record, site.definition, outputs));
  if (!resolved.ok) return unresolved('ConfigurationError', resolved.message);
  const bytes = Buffer.byteLength(JSON.stringify(resolved.declaration.configuration));
  if (bytes > mostConfigurationBytes) {
    const message = `With its variables filled in, the configuration takes ${bytes} bytes; at most ${mostConfigurationBytes} are allowed.`;
    return unresolved('ConfigurationError', message);
  }
  const configuration = provider.configuration.safeParse(resolved.declaration.configuration);
  if (!configuration.success)
    return unresolved('ConfigurationError', configuration.error.issues.map(issueText).join(' '));
  const inputs = findInputs(site.declaration.inputArtifacts, outputs);
  if (!inputs.ok) return unresolved('ConfigurationError', inputs.message);
  const produced = outputArtifacts(runner, site);
  const trust = context.fork ? 'fork' : 'repository';
  const secrets = context.fork ? {} : runner.secretsFor(site.repository);
  const revision = revisionOf(execution, site.declaration);
  const action: StartedAction<unknown> = {
    token: tokenOf(site),
    execution: execution.id,
    actionExecution: site.run.id,
    pipeline: site.record.execution.pipeline,
    stage: site.stage,
    attempt: site.run.attempt,
    declaration: resolved.declaration,
    configuration: configuration.data,
    repository: site.repository,
    ...(revision ? { sourceRevision: revision } : {}),
    inputs: inputs.artifacts,
    outputs: produced,
    origin: originOf(site.record),
    trust,
    secrets,
    log: runner.logs.log(execution.id, site.run.id, Object.values(secrets)),
    changed: () =>
      void hurryJob(runner.db, `poll/${site.run.id}`).catch((error: unknown) => runner.log.warn({ error })),
  };
  const input: ActionInput = {
    configuration: site.declaration.configuration,
    resolvedConfiguration: resolved.declaration.configuration,
    inputArtifacts: inputs.artifacts,
    outputArtifacts: produced,
  };
  return { kind: 'ready', action, input };
}

function unresolved(code: string, message: string): Described {
  return { kind: 'unresolved', report: { kind: 'failed', error: { code, message } } };
}

function issueText(issue: { readonly path: readonly PropertyKey[]; readonly message: string }): string {
  return `Configuration '${issue.path.join('.')}': ${issue.message}.`;
}

type ResolvedDeclaration =
  { readonly ok: true; readonly declaration: ActionDeclaration } | { readonly ok: false; readonly message: string };

/** Commands and environment variables are resolved like configuration (CP-V-5). */
function resolveDeclaration(site: ActionSite, namespaces: ReturnType<typeof namespacesOf>): ResolvedDeclaration {
  const { declaration } = site;
  const { name, commands, environmentVariables } = declaration;
  const configuration = resolveVariables(declaration.configuration, namespaces, name);
  if (!configuration.ok) return configuration;
  const texts = resolveTexts([...commands, ...environmentVariables.map(({ value }) => value)], namespaces, name);
  if (!texts.ok) return texts;
  const values = texts.resolved.slice(commands.length);
  return {
    ok: true,
    declaration: {
      ...declaration,
      configuration: configuration.resolved,
      commands: texts.resolved.slice(0, commands.length),
      environmentVariables: environmentVariables.map((one, index) => ({ ...one, value: values[index] ?? '' })),
    },
  };
}

function outputArtifacts(runner: EffectRunner, site: ActionSite): NamedArtifact[] {
  return site.declaration.outputArtifacts.map(({ name }) => ({
    name,
    location: runner.allotArtifact(site.definition, name, `${site.run.id}/${name}`),
  }));
}

function revisionOf(execution: Execution, declaration: ActionDeclaration): SourceRevision | undefined {
  if (declaration.actionTypeId.category !== 'Source') return undefined;
  return execution.sourceRevisions.find((revision) => revision.actionName === declaration.name);
}
