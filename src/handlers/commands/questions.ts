import { allowedVerbs } from '../../commands/authorize.ts';
import type { Command, Verb } from '../../commands/command.ts';
import { knownPipelines } from '../../commands/names.ts';
import { verbs, verbTable } from '../../commands/verbs.ts';
import type { LoadedConfiguration } from '../../config/load.ts';
import type { Deps } from '../../deps.ts';
import type { PullRequest } from '../../github/github.ts';
import { renderStatus, renderWhy } from '../../render/answers.ts';
import { renderHelp } from '../../render/help.ts';
import type { PlannedGate, WhyGate } from '../../render/questions.ts';
import { asker, informed, prefixOf, type Answer, type Asked } from '../asked.ts';
import { isPush, judgeGate, policyOf } from '../gate-facts.ts';
import { withBaseNow } from '../gather-context.ts';
import { loadGoverning } from '../load-governing.ts';
import { planned, withAsker } from '../plan-for-asker.ts';
import { statusText } from '../status-comment.ts';
import { openGates } from './approve.ts';

type Question = Extract<Command, { verb: 'status' | 'why' | 'plan' }>;

/** Where every pipeline of this pull request stands, and why something did not start. */
export async function status(deps: Deps, asked: Asked, command: Question): Promise<Answer> {
  const { pullRequest, repository } = asked;
  const about = {
    ...asked,
    repositoryId: repository.id,
    headSha: pullRequest?.headSha,
    wanted: command.target.pipeline,
  };
  return informed(await statusText(deps, about, renderStatus));
}

/** For each waiting gate who is missing, and whose answer did not count and why. */
export async function why(deps: Deps, asked: Asked, command: Question): Promise<Answer> {
  const { pipeline, stage, action } = command.target;
  const gates: WhyGate[] = [];
  // Also those of executions that a newer one waits behind.
  for (const gate of openGates(asked)) {
    const { record } = gate;
    const named = { pipeline: record.pipeline, stage: gate.stage, action: gate.action };
    if ((pipeline ?? named.pipeline) !== named.pipeline || (stage ?? named.stage) !== named.stage) continue;
    if ((action ?? named.action) !== named.action) continue;
    const { verdict } = await judgeGate(deps, record, gate);
    const copy = `${prefixOf(asked)}approve ${named.pipeline}/${named.stage}/${named.action} ${record.context.headSha}`;
    gates.push({ ...named, verdict, channels: policyOf(record, gate).channels, copy });
  }
  return gates.length === 0 ? status(deps, asked, command) : informed(renderWhy(gates));
}

/** Only what this person may do here, with the pipelines of the configuration that governs and of what ran. */
export async function help(deps: Deps, asked: Asked, command: Extract<Command, { verb: 'help' }>): Promise<Answer> {
  const { repository, records } = asked;
  const pullRequest = asked.pullRequest && (await withBaseNow(deps, repository, asked.pullRequest));
  const loaded = pullRequest ? await loadGoverning(deps, repository, pullRequest.baseSha) : undefined;
  const configured = loaded?.kind === 'ok' ? loaded : undefined;
  const bare = configured?.config.commands.bare ?? records[0]?.context.bareCommands ?? true;
  const ran = records.toReversed().flatMap((record) => {
    const definition = asked.definitions[record.execution.definition];
    return definition ? [[record.pipeline, definition] as const] : [];
  });
  const gates = pullRequest?.state === 'open' && configured ? await gatesFor(deps, asked, pullRequest, configured) : {};
  const facts = {
    allowed: allowedVerbs(asker(asked)),
    useless: pullRequest ? uselessVerbs(asked, pullRequest, Object.values(gates).flat()) : [],
    known: knownPipelines({ ...configured?.definitions, ...Object.fromEntries(ran) }),
    gates,
    prefix: bare ? ('/' as const) : ('/penstock ' as const),
  };
  return informed(renderHelp(facts, command.topic));
}

type Gates = Readonly<Record<string, readonly PlannedGate[]>>;

/** By pipeline: its gates, and whether the asker could pass them. */
async function gatesFor(
  deps: Deps,
  asked: Asked,
  pullRequest: PullRequest,
  loaded: Extract<LoadedConfiguration, { kind: 'ok' }>,
): Promise<Gates> {
  // Which files changed does not matter for who may answer.
  const about = { pullRequest, files: { paths: [], truncated: true } };
  const entries = await withAsker(deps, asked, pullRequest, { loaded, pipelines: planned(deps, loaded, about) });
  return Object.fromEntries(entries.map(({ pipeline, gates }) => [pipeline, gates]));
}

/** What this person has the access for, and what would be refused all the same on this pull request. */
function uselessVerbs(asked: Asked, pullRequest: PullRequest, gates: readonly PlannedGate[]): readonly Verb[] {
  const isOpen = pullRequest.state === 'open';
  const isFork = pullRequest.headRepositoryId !== asked.repository.id;
  const hasPush = asked.records.some(isPush);
  return verbs.filter((verb) => {
    if (verbTable[verb].needs === 'read') return false;
    if (!isOpen && !hasPush) return true;
    if (verb === 'ok-to-test') return !isOpen || !isFork;
    if (verb === 'run') return !isOpen || isFork;
    if (verb === 'approve') return !hasPush && gates.every(({ whyNot }) => whyNot !== undefined);
    return verb === 'reject' && !hasPush && gates.length === 0;
  });
}
