import { whyNot } from '../../commands/approval-rules.ts';
import { policyWords } from '../../commands/approvers.ts';
import { allowedVerbs } from '../../commands/authorize.ts';
import type { Command } from '../../commands/command.ts';
import { defaultGatePolicy, type GatePolicy } from '../../commands/gate-policy.ts';
import { knownPipelines } from '../../commands/names.ts';
import { decisionsFor } from '../../db/start-decisions.ts';
import type { Deps } from '../../deps.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { waitingApprovals } from '../../pipeline/status.ts';
import { renderPlan, renderStatus, renderWhy } from '../../render/answers.ts';
import { renderHelp } from '../../render/help.ts';
import type { PlanEntry, PlannedGate, WhyGate } from '../../render/questions.ts';
import { loadGoverning } from '../load-governing.ts';
import { asker, definitionOf, informed, newestPerPipeline, refused, type Answer, type Asked } from '../asked.ts';
import { viewOf } from '../execution-view.ts';
import { judgeGate } from '../gate-facts.ts';
import { planStarts, plansNeedFiles, type StartPlan } from '../start-plan.ts';

type Question = Extract<Command, { verb: 'status' | 'why' | 'plan' }>;

/** Where every pipeline of this pull request stands, and why something did not start. */
export async function status(deps: Deps, asked: Asked, command: Question): Promise<Answer> {
  const wanted = command.target.pipeline;
  const records = newestPerPipeline(asked, wanted);
  const views = await Promise.all(records.map((record) => viewOf(deps, record, definitionOf(asked, record))));
  const { pullRequest, repository } = asked;
  const decided = pullRequest ? await decisionsFor(deps.db, repository.id, { sha: pullRequest.headSha }) : [];
  const notes = decided.filter((one) => wanted === undefined || one.pipeline === wanted);
  return informed(renderStatus(views, notes));
}

/** For each waiting gate who is missing, and whose answer did not count and why. */
export async function why(deps: Deps, asked: Asked, command: Question): Promise<Answer> {
  const { pipeline, stage } = command.target;
  const gates: WhyGate[] = [];
  for (const record of newestPerPipeline(asked, pipeline)) {
    for (const gate of waitingApprovals(record.execution)) {
      if (stage !== undefined && gate.stage !== stage) continue;
      const { verdict } = await judgeGate(deps, record, gate);
      const copy = `/penstock approve ${record.pipeline}/${gate.stage}/${gate.action} ${record.context.headSha}`;
      gates.push({ pipeline: record.pipeline, stage: gate.stage, action: gate.action, verdict, copy });
    }
  }
  return gates.length === 0 ? status(deps, asked, command) : informed(renderWhy(gates));
}

/** Which pipelines this pull request starts, by which filter and gates; and what a configuration that it changes would do. */
export async function plan(deps: Deps, asked: Asked, command: Question): Promise<Answer> {
  const { pullRequest } = asked;
  if (!pullRequest) return refused('There is no pull request here to plan for.');
  const wanted = command.target.pipeline;
  const governing = await planAt(deps, asked, pullRequest.baseSha, wanted);
  if (typeof governing === 'string') return refused(governing);
  const proposed = await planAt(deps, asked, pullRequest.headSha, wanted);
  return informed(renderPlan(typeof proposed === 'string' ? governing : compared(governing, proposed)));
}

function compared(governing: readonly PlanEntry[], proposed: readonly PlanEntry[]): readonly PlanEntry[] {
  const entries = governing.map((entry) => {
    const after = proposed.find((one) => one.pipeline === entry.pipeline);
    if (!after) return { ...entry, inPullRequest: 'it is removed' };
    if (JSON.stringify(after) === JSON.stringify(entry)) return entry;
    return {
      ...entry,
      inPullRequest: `${after.starts ? 'it starts' : 'it does not start'}: ${after.why}${gatesInWords(after)}`,
    };
  });
  const added = proposed.filter((one) => !governing.some((entry) => entry.pipeline === one.pipeline));
  const fresh = added.map((one) => ({
    pipeline: one.pipeline,
    starts: false,
    why: 'it is not on the base branch',
    gates: [],
    inPullRequest: `it starts: ${one.why}${gatesInWords(one)}`,
  }));
  return [...entries, ...fresh];
}

function gatesInWords(entry: PlanEntry): string {
  return entry.gates.map((gate) => `; ${gate.stage}/${gate.action} needs ${gate.needs}`).join('');
}

async function planAt(
  deps: Deps,
  asked: Asked,
  sha: string,
  wanted: string | undefined,
): Promise<readonly PlanEntry[] | string> {
  const { pullRequest, repository } = asked;
  const loaded = await loadGoverning(deps, repository, sha);
  if (loaded.kind === 'none') return 'There is no `.github/penstock.yml` on the base branch.';
  if (loaded.kind === 'broken')
    return '`.github/penstock.yml` on the base branch cannot be used; `penstock validate` says why.';
  const files =
    plansNeedFiles(loaded) && pullRequest
      ? await deps.github.changedFiles(repository, { kind: 'pull-request', number: pullRequest.number })
      : { paths: [], truncated: false };
  const baseBranch = pullRequest?.baseRef ?? '';
  return planStarts(loaded, { kind: 'pull-request', event: 'UPDATED', baseBranch, ...files })
    .filter((one) => wanted === undefined || one.pipeline.name === wanted)
    .map((one) => planEntry(asked, one, loaded.definitions[one.pipeline.name]));
}

function planEntry(asked: Asked, one: StartPlan, definition: PipelineDefinition | undefined): PlanEntry {
  const gates = (definition?.stages ?? []).flatMap((stage) =>
    stage.actions
      .filter((action) => action.actionTypeId.category === 'Approval')
      .map((action) => plannedGate(asked, one, stage.name, action.name)),
  );
  const reason = one.kind === 'broken' ? 'its declaration is broken' : one.reason;
  return { pipeline: one.pipeline.name, starts: one.kind === 'start', why: reason, gates };
}

function plannedGate(asked: Asked, one: StartPlan, stage: string, action: string): PlannedGate {
  const policy = one.pipeline.gates[`${stage}/${action}`] ?? defaultGatePolicy;
  const reason = whyAskerCannot(asked, policy);
  return { stage, action, needs: policyWords(policy), ...(reason === undefined ? {} : { whyNot: reason }) };
}

function whyAskerCannot(asked: Asked, policy: GatePolicy): string | undefined {
  const { person, permission, pullRequest } = asked;
  const moment = new Date(0).toISOString();
  const facts = {
    binding: { execution: '', token: '', headSha: '', baseSha: null, configDigest: '' },
    waitingSince: moment,
    now: moment,
    votes: [],
    people: [],
    ...(pullRequest ? { author: pullRequest.author } : {}),
    committers: [],
    unmappedAuthors: [],
    fork: false,
    owners: 'unknown',
  } as const;
  return whyNot(policy, facts, { ...person, permission, teams: [] }, 'approve');
}

/** Only what this person may do here. */
export function help(asked: Asked, command: Extract<Command, { verb: 'help' }>): Promise<Answer> {
  const bare = asked.records[0]?.context.bareCommands ?? true;
  const definitions = Object.fromEntries(
    asked.records.toReversed().flatMap((record) => {
      const definition = asked.definitions[record.execution.definition];
      return definition ? [[record.pipeline, definition]] : [];
    }),
  );
  const facts = {
    allowed: allowedVerbs(asker(asked)),
    known: knownPipelines(definitions),
    prefix: bare ? ('/' as const) : ('/penstock ' as const),
  };
  return Promise.resolve(informed(renderHelp(facts, command.topic)));
}
