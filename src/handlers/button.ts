import type { Command } from '../commands/command.ts';
import { checkRunByGithubId, newestCheckRun, type CheckRunRecord } from '../db/check-runs.ts';
import { loadDefinitions } from '../db/definitions.ts';
import { executionsFor, findExecution, type ExecutionRecord } from '../db/executions.ts';
import { askedOf, claimCommand, commandBySource, finishCommand } from '../db/human-commands.ts';
import type { Deps } from '../deps.ts';
import type { WebhookEvent } from '../github/event.ts';
import type { Account, RepositoryRef } from '../github/github.ts';
import { waitingApprovals } from '../pipeline/status.ts';
import { renderReply } from '../render/replies.ts';
import { done, type Answer, type Asked } from './asked.ts';
import { handled, ignored, type Outcome } from './outcome.ts';
import { recordCommand } from './record-command.ts';
import { obeyCommand } from './run-command.ts';

type Button = Extract<WebhookEvent, { kind: 'button' }>;
type RerunCheck = Extract<WebhookEvent, { kind: 'rerun-check' }>;
type RerunSuite = Extract<WebhookEvent, { kind: 'rerun-suite' }>;

/** A press of a button asks for the same as its command; whoever pressed passes the same rules as a comment. */
export async function handleButton(deps: Deps, event: Button, claimer: string): Promise<Outcome> {
  const marker = `button/${event.checkRunId}/${event.identifier}`;
  const before = await endOfEarlierTry(deps, event, `${marker}/${event.sender.id}`);
  if (before) return before;
  const run = await checkRunByGithubId(deps.db, event.repository.id, event.checkRunId);
  if (run?.headSha !== event.headSha)
    return ignored(`check run ${event.checkRunId} is not one that Penstock posted for ${event.headSha}`);
  const newest = await newestCheckRun(deps.db, run);
  if (newest?.githubId !== event.checkRunId) return ignored('a newer run of this check exists; only its buttons count');
  if (run.executionId === null) return pressedOnCommit(deps, event, { marker, claimer });
  const record = await findExecution(deps.db, run.executionId);
  if (!record) return ignored('the execution of this check is gone');
  const command = commandOf(event.identifier, run, record);
  if (!command) return ignored(`the button ${event.identifier} is not one of ours, or what it asked for is over`);
  return obeyClick(deps, { event, command, record, marker, claimer });
}

/** What was done is done, although the check has become another by it and the process ended before it could say so. */
async function endOfEarlierTry(
  { db }: Pick<Deps, 'db'>,
  { repository, sender: person }: Button,
  source: string,
): Promise<Outcome | undefined> {
  const pressed = await commandBySource(db, source);
  if (!pressed || pressed.outcome !== null) return undefined;
  const did = (await askedOf(db, source)).find(({ obeyed }) => obeyed?.outcome === 'done');
  if (!did) return undefined;
  const command = JSON.parse(did.line) as Command;
  const record = 'execution' in did.command ? await findExecution(db, did.command.execution) : null;
  const asked = {
    repository,
    person,
    channel: 'button',
    source,
    claim: source,
    records: record ? [record] : [],
  } as const;
  await db.transaction().execute(async (trx) => {
    await recordCommand(trx, asked, { command, answer: done(), allowed: true });
    await finishCommand(trx, source, { outcome: 'rocket', answer: '' });
  });
  return handled(`${pressed.text} by ${pressed.login}: rocket`);
}

/** The check of a fork's commit that waits for a permitted person: the button carries the SHA. */
async function pressedOnCommit(
  deps: Deps,
  event: Button,
  by: { readonly marker: string; readonly claimer: string },
): Promise<Outcome> {
  if (event.identifier !== 'ok-to-test') return ignored('this check stands for no execution');
  const [pullRequest] = (await deps.github.openPullRequests(event.repository)).filter(
    (one) => one.headSha === event.headSha,
  );
  if (!pullRequest) return ignored('no open pull request has this commit as its head any more');
  const command: Command = { verb: 'ok-to-test', sha: event.headSha };
  return obeyClick(deps, { event, command, number: pullRequest.number, ...by });
}

function commandOf(identifier: string, run: CheckRunRecord, record: ExecutionRecord): Command | undefined {
  const target = { pipeline: record.execution.pipeline, ...(run.stage === '' ? {} : { stage: run.stage }) };
  switch (identifier) {
    case 'approve':
    case 'reject': {
      const waiting = waitingApprovals(record.execution).filter((gate) => run.stage === '' || gate.stage === run.stage);
      const [gate] = waiting;
      if (!gate || waiting.length > 1) return undefined;
      const named = { pipeline: record.execution.pipeline, stage: gate.stage, action: gate.action };
      return { verb: identifier, target: named, sha: record.context.headSha, reason: '' };
    }
    case 'retry':
    case 'retry-all':
      return { verb: 'retry', target, all: identifier === 'retry-all' };
    case 'rollback':
      return { verb: 'rollback', target };
    default:
      return undefined;
  }
}

interface Click {
  readonly event: { readonly repository: RepositoryRef; readonly sender: Account };
  readonly command: Command;
  readonly record?: ExecutionRecord;
  readonly number?: number;
  readonly marker: string;
  /** The delivery that brought it. */
  readonly claimer: string;
}

/** A click has no place for a reaction: what it could not do is told in the pull request, once for each check run. */
async function obeyClick(deps: Deps, click: Click): Promise<Outcome> {
  const { repository, sender } = click.event;
  const number = click.number ?? click.record?.context.pullRequest;
  const source = `${click.marker}/${sender.id}`;
  const text = `[${click.command.verb}]`;
  const claim = {
    source,
    repositoryId: repository.id,
    pullRequest: number ?? null,
    personId: sender.id,
    login: sender.login,
    text,
    claimer: click.claimer,
  };
  if ((await claimCommand(deps.db, claim)) === 'known') return ignored('this press was taken before');
  const answer = await obeyCommand(deps, await gatherClick(deps, click, number, source), click.command);
  await finishCommand(deps.db, source, { outcome: answer.mark, answer: answer.text ?? '' });
  if (answer.text !== undefined && number !== undefined && !isGood(answer)) {
    const line = { kind: 'command', line: 1, text, command: click.command } as const;
    const body = renderReply([{ line, answer }], sender.login);
    if (body !== undefined) await deps.github.comment(repository, number, body, `reply:${source}`);
  }
  return handled(`${text} by ${sender.login}: ${answer.mark}`);
}

function isGood(answer: Answer): boolean {
  return answer.mark === 'rocket' || answer.mark === '+1';
}

async function gatherClick(deps: Deps, click: Click, number: number | undefined, source: string): Promise<Asked> {
  const { repository, sender } = click.event;
  const pullRequest = number === undefined ? null : await deps.github.pullRequest(repository, number);
  const records = click.record ? [click.record] : [];
  return {
    repository,
    ...(pullRequest ? { pullRequest } : {}),
    person: sender,
    permission: await deps.github.permissionOf(repository, sender.login, sender.id),
    by: { kind: 'person', id: sender.id, login: sender.login },
    channel: 'button',
    source,
    claim: source,
    createdAt: deps.now().toISOString(),
    records,
    definitions: await loadDefinitions(deps.db, [...new Set(records.map((record) => record.execution.definition))]),
  };
}

/** GitHub's own "Re-run" of one check: of a stage, that stage again; of the aggregate, what failed, else everything. */
export async function handleRerunCheck(deps: Deps, event: RerunCheck, claimer: string): Promise<Outcome> {
  const run = await checkRunByGithubId(deps.db, event.repository.id, event.checkRunId);
  if (!run) return ignored(`check run ${event.checkRunId} is not one that Penstock posted`);
  if (run.executionId === null) return ignored('this check stands for no execution; `/run` starts one');
  const record = await findExecution(deps.db, run.executionId);
  if (!record) return ignored('the execution of this check is gone');
  return obeyClick(deps, {
    event,
    record,
    command: rerunCommand(record, run.stage),
    marker: `rerun-check/${event.checkRunId}`,
    claimer,
  });
}

/** "Re-run all checks": for each pipeline on the commit what failed, else everything. */
export async function handleRerunSuite(deps: Deps, event: RerunSuite, claimer: string): Promise<Outcome> {
  const newest = new Map<string, ExecutionRecord>();
  for (const record of await executionsFor(deps.db, event.repository.id, event.headSha)) {
    if (!newest.has(record.execution.pipeline)) newest.set(record.execution.pipeline, record);
  }
  if (newest.size === 0) return ignored('nothing ran for this commit');
  const said: string[] = [];
  for (const record of newest.values()) {
    const marker = `rerun-suite/${record.execution.id}/${record.execution.updatedAt}`;
    const click = { event, record, command: rerunCommand(record, ''), marker, claimer };
    said.push((await obeyClick(deps, click)).reason);
  }
  return handled(said.join('; '));
}

function rerunCommand(record: ExecutionRecord, stage: string): Command {
  const target = { pipeline: record.execution.pipeline };
  if (stage !== '') return { verb: 'retry', target: { ...target, stage }, all: record.status === 'Succeeded' };
  const ended = record.status === 'Failed' || record.status === 'Stopped';
  return ended ? { verb: 'retry', target, all: false } : { verb: 'rerun', target };
}
