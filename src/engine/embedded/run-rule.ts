import { enqueue } from '../../db/jobs.ts';
import { saveRuleInput } from '../../db/rule-executions.ts';
import { timeOutWorkerJobs } from '../../db/worker-jobs.ts';
import type { RuleEffect } from '../../pipeline/effect.ts';
import { deploymentWindow, variableCheck, type RuleAnswer } from '../../pipeline/rule-evaluators.ts';
import { judgeAlarm } from './alarm-rule.ts';
import { callSubject } from './call-subject.ts';
import { actionOfRule, describeRule, resolveRule, ruleInput, type ResolvedRule } from './describe-rule.ts';
import { continueForRule, invokeForRule } from './invoke-function.ts';
import { applyRuleFact, applyRuleReport, reportOfAction, type RuleReport } from './rule-report.ts';
import { findEvaluation, findRuleSite, ruleTokenOf, type RuleSite } from './rule-site.ts';
import type { EffectRunner } from './run-effect.ts';

type Rule = Extract<ResolvedRule, { ok: true }>;

/** A window may open at any minute. */
const windowPollMs = 20_000;
/** The work may end, and say so, before its poll job exists. */
const firstPollMs = 300;

/** Does one effect of a condition (CP 2.10). A repeated call finds everything as it stands. */
export async function runRuleEffect(runner: EffectRunner, effect: RuleEffect): Promise<void> {
  const isStop = effect.kind === 'stop-rule';
  const site = await (isStop ? findEvaluation : findRuleSite)(runner.db, effect.execution, effect.id);
  if (!site) return;
  switch (effect.kind) {
    case 'start-rule':
      return startRule(runner, site);
    case 'stop-rule':
      return stopRule(runner, site);
    case 'watch-rule-deadline':
      return passRuleDeadline(runner, site, effect);
    default:
      return effect satisfies never;
  }
}

/** Asks a rule that runs or waits how it stands; the answer says when to ask again, if at all. */
export async function pollRule(
  runner: EffectRunner,
  execution: string,
  rule: string,
): Promise<{ againAfterMs: number } | undefined> {
  const site = await findRuleSite(runner.db, execution, rule);
  if (site?.run.status !== 'InProgress') return undefined;
  const resolved = await resolveRule(runner, site);
  const report = resolved.ok ? await evaluate(runner, site, resolved, 'poll') : broken(resolved.message);
  await applyRuleReport(runner, site, report);
  return report.kind === 'running' && report.pollAfterMs !== undefined
    ? { againAfterMs: report.pollAfterMs }
    : undefined;
}

async function startRule(runner: EffectRunner, site: RuleSite): Promise<void> {
  if (site.run.status !== 'InProgress') return;
  const resolved = await resolveRule(runner, site);
  if (!resolved.ok) return applyRuleReport(runner, site, broken(resolved.message));
  await saveRuleInput(runner.db, site.run.id, ruleInput(site, resolved));
  const report = await evaluate(runner, site, resolved, 'start');
  await applyRuleReport(runner, site, report);
  if (report.kind !== 'running' || report.pollAfterMs === undefined) return;
  const isWork = actionOfRule(resolved) !== undefined;
  await enqueue(runner.db, {
    kind: 'poll-rule',
    payload: { execution: site.record.execution.id, rule: site.run.id },
    dedupeKey: `poll-rule/${site.run.id}`,
    delayMs: isWork ? Math.min(report.pollAfterMs, firstPollMs) : report.pollAfterMs,
    host: site.record.host,
  });
}

async function evaluate(runner: EffectRunner, site: RuleSite, rule: Rule, step: 'start' | 'poll'): Promise<RuleReport> {
  const { configuration, ruleTypeId } = rule.declaration;
  switch (ruleTypeId.provider) {
    case 'VariableCheck':
      return reportOfAnswer(variableCheck(configuration));
    case 'DeploymentWindow':
      return reportOfAnswer(deploymentWindow(configuration, runner.now()));
    case 'Commands':
    case 'CodeBuild':
      return runAsAction(runner, site, rule, step);
    case 'CloudWatchAlarm':
      return lookAtAlarm(runner, site, rule);
    case 'LambdaInvoke':
      return step === 'start' ? invokeForRule(runner, site, rule) : continueForRule(runner, site);
    default:
      return broken(`Rules of type ${ruleTypeId.provider} do not run on the embedded engine.`);
  }
}

function reportOfAnswer(answer: RuleAnswer): RuleReport {
  switch (answer.kind) {
    case 'succeeded':
      return { kind: 'succeeded', summary: answer.summary };
    case 'failed':
      return { kind: 'failed', error: { code: 'JobFailed', message: answer.summary } };
    case 'waiting':
      return { kind: 'running', summary: answer.summary, pollAfterMs: windowPollMs };
    case 'errored':
      return broken(answer.summary);
    default:
      return answer satisfies never;
  }
}

async function runAsAction(
  runner: EffectRunner,
  site: RuleSite,
  rule: Rule,
  step: 'start' | 'poll',
): Promise<RuleReport> {
  const declaration = actionOfRule(rule);
  const provider = declaration && runner.findProvider(declaration);
  if (!declaration || !provider) return broken(`The provider of rule '${site.run.rule}' does not run here.`);
  const described = describeRule(runner, site, { provider, declaration, inputs: rule.inputs });
  if (!described.ok) return broken(described.message);
  const { externalExecutionId } = site.run;
  // Without an id the start was never reported: the provider knows whether it happened.
  if (step === 'start' || externalExecutionId === undefined || !provider.poll) {
    return reportOfAction(await provider.start(described.action));
  }
  return reportOfAction(await provider.poll({ ...described.action, externalId: externalExecutionId }));
}

async function lookAtAlarm(runner: EffectRunner, site: RuleSite, rule: Rule): Promise<RuleReport> {
  const { configuration, region } = rule.declaration;
  const alarmState = runner.aws?.alarmState;
  if (!alarmState) {
    return broken(
      'CloudWatchAlarm rules need AWS access, and this server has none. Remove the rule, or configure AWS.',
    );
  }
  const name = configuration['AlarmName'] ?? '';
  const state = await alarmState({ subject: callSubject(site), alarm: name, region });
  if (state === 'missing') return broken(`There is no alarm named '${name}'.`);
  if (typeof state === 'object') return { kind: 'errored', error: { code: state.code, message: state.message } };
  const startedAt = new Date(site.run.startedAt);
  return judgeAlarm({ configuration, condition: site.condition, state, startedAt, at: runner.now() });
}

async function stopRule(runner: EffectRunner, site: RuleSite): Promise<void> {
  await timeOutWorkerJobs(runner.db, site.run.id);
  const declaration = actionOfRule(site);
  const provider = declaration && runner.findProvider(declaration);
  await provider?.stop?.({ token: ruleTokenOf(site) });
  runner.logs.close(site.run.id);
}

/** The core fails it if it still goes on; what works for it is stopped on the host that runs it. */
async function passRuleDeadline(runner: EffectRunner, site: RuleSite, effect: RuleEffect): Promise<void> {
  if (site.run.status !== 'InProgress') return;
  await applyRuleFact(runner, site, {
    kind: 'rule-deadline-passed',
    execution: effect.execution,
    rule: effect.id,
  });
  const { execution, stage, condition, rule, attempt, id } = effect;
  await enqueue(runner.db, {
    kind: 'effect',
    payload: { effect: { kind: 'stop-rule', execution, stage, condition, rule, attempt, id } },
    dedupeKey: `stop-rule/${id}`,
    host: site.record.host,
  });
}

function broken(message: string): RuleReport {
  return { kind: 'errored', error: { code: 'ConfigurationError', message } };
}
