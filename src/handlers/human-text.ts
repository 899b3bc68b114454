import { knownPipelines } from '../commands/names.ts';
import { parseComment, type ParsedLine } from '../commands/parse-comment.ts';
import { recordAudit } from '../db/audit.ts';
import { claimCommand, finishCommand } from '../db/human-commands.ts';
import { executionsVotedFrom, withdrawVotesFrom } from '../db/votes.ts';
import type { Deps } from '../deps.ts';
import type { WebhookEvent } from '../github/event.ts';
import type { PullRequest } from '../github/github.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { renderReply } from '../render/replies.ts';
import { knownExecutions, permissionNow, type Answer, type Asked } from './asked.ts';
import { changedSince, limitPerson, takeBack } from './human-text-checks.ts';
import { loadGoverning } from './load-governing.ts';
import { handled, ignored, type Outcome } from './outcome.ts';
import { answerLine, type LineAnswer } from './run-command.ts';

type HumanText = Extract<WebhookEvent, { kind: 'human-text' }>;
type TextChangedEvent = Extract<WebhookEvent, { kind: 'text-changed' }>;

/**
 * Obeys the commands in a comment or review, once per comment, in their order, with one combined reply.
 * Gather: who, what is running, what is head. Decide: authorize and the approval rules. Act: the engine.
 */
export async function handleHumanText(deps: Deps, text: HumanText, claimer: string): Promise<Outcome> {
  if (text.author.bot || text.viaApp) return ignored('commands are taken from people only, not from bots or apps');
  // A line comment is about a line; people quote commands there (SEC-B-25).
  if (text.source.kind === 'review-comment') return ignored('comments on lines of the diff are not read for commands');
  const { repository, number } = text;
  const pullRequest = await deps.github.pullRequest(repository, number);
  if (!pullRequest) return ignored(`there is no pull request #${number}`);
  const { definitions, bare } = await namesOf(deps, text, pullRequest);
  const lines = parseComment(text.body, { bare, known: knownPipelines(definitions) });
  const taken = text.review?.state === 'changes_requested' ? await takeBack(deps, text) : noCommand;
  if (lines.length === 0) return taken;
  const gone = await changedSince(deps, text);
  if (gone !== undefined) return ignored(gone);
  const source = `${text.source.kind}/${text.source.id}`;
  const claim = {
    source,
    repositoryId: repository.id,
    pullRequest: number,
    personId: text.author.id,
    login: text.author.login,
    text: lines.map((line) => line.text).join('\n'),
    claimer,
  };
  if ((await claimCommand(deps.db, claim)) === 'known') return ignored('these commands were taken before');
  const limited = await limitPerson(deps, { repository, number, person: text.author, source });
  if (limited) return limited;
  await deps.github.react(repository, text.source, 'eyes');
  // What GitHub says later of the commit of a review may have moved on with the branch (SEC-A-06).
  const reviewed = text.review && claimer !== 'sweep' ? { reviewed: text.review.sha } : {};
  const answers = await answerAll(deps, { text, pullRequest, source, reviewed }, lines);
  await acknowledge(deps, text, answers);
  const outcome = answers.map(({ line, answer }) => `${line.text}: ${answer.mark}`).join('; ');
  await finishCommand(deps.db, source, { outcome, answer: renderReply(answers) ?? '' });
  return handled(outcome);
}

const noCommand = ignored('no command in it');

interface Said {
  readonly text: HumanText;
  readonly pullRequest: PullRequest;
  readonly source: string;
  readonly reviewed: Pick<Asked, 'reviewed'>;
}

/** Names that targets may use: from what ran here and, before anything ran, from the configuration at the base. */
async function namesOf(
  deps: Deps,
  text: HumanText,
  pullRequest: PullRequest,
): Promise<{ readonly definitions: Readonly<Record<string, PipelineDefinition>>; readonly bare: boolean }> {
  const known = await knownExecutions(deps, text.repository.id, text.number);
  const loaded = await loadGoverning(deps, text.repository, pullRequest.baseSha);
  const ran = known.records.toReversed().flatMap((record) => {
    const definition = known.definitions[record.execution.definition];
    return definition ? [[record.execution.pipeline, definition] as const] : [];
  });
  const configured = loaded.kind === 'ok' ? loaded.definitions : {};
  return {
    definitions: { ...configured, ...Object.fromEntries(ran) },
    bare: loaded.kind === 'ok' ? loaded.config.commands.bare : (known.records[0]?.context.bareCommands ?? true),
  };
}

async function answerAll(deps: Deps, said: Said, lines: readonly ParsedLine[]): Promise<readonly LineAnswer[]> {
  const answers: LineAnswer[] = [];
  for (const [index, line] of lines.entries()) {
    // Gathered anew for each line: the one before may have started or ended something.
    const asked = await gatherAsked(deps, said, index);
    answers.push({ line, answer: await answerLine(deps, asked, line) });
  }
  return answers;
}

/** Each line is asked once by itself: `/approve` and then `/reject` in one comment are two answers of one person. */
async function gatherAsked(deps: Deps, said: Said, index: number): Promise<Asked> {
  const { text, pullRequest, source, reviewed } = said;
  const { author, repository } = text;
  return {
    repository,
    pullRequest,
    person: author,
    permission: await permissionNow(deps, repository, author, text.createdAt),
    by: { kind: 'person', id: author.id, login: author.login },
    channel: text.source.kind === 'review' ? 'review' : 'comment',
    claim: source,
    source: index === 0 ? source : `${source}/${index + 1}`,
    createdAt: text.createdAt,
    ...reviewed,
    ...(await knownExecutions(deps, repository.id, text.number)),
  };
}

/** One reaction for the whole comment (its worst answer), and words only when a reaction cannot carry them. */
async function acknowledge(deps: Deps, text: HumanText, answers: readonly LineAnswer[]): Promise<void> {
  const order: readonly Answer['mark'][] = ['confused', '-1', 'rocket', '+1'];
  const mark = order.find((one) => answers.some(({ answer }) => answer.mark === one));
  if (mark) await deps.github.react(text.repository, text.source, mark);
  const reply = renderReply(answers, text.author.login);
  // GitHub takes no reactions on a review, so a review always gets words.
  const body = reply ?? (text.source.kind === 'review' ? 'Done.' : undefined);
  if (body !== undefined) {
    await deps.github.comment(text.repository, text.number, body, `reply:${text.source.kind}/${text.source.id}`);
  }
}

/** The sweep does not learn who it was. */
type TextChange = Omit<TextChangedEvent, 'sender'> & { readonly sender: TextChangedEvent['sender'] | null };

/** An edited or deleted comment is never obeyed, only put on record; a dismissed review takes its answers back. */
export async function handleTextChanged(deps: Pick<Deps, 'db' | 'engine'>, event: TextChange): Promise<Outcome> {
  const source = `${event.source.kind}/${event.source.id}`;
  const withdrawn = await deps.db.transaction().execute(async (trx) => {
    const votes = event.action === 'dismissed' ? await withdrawVotesFrom(trx, source) : 0;
    await recordAudit(trx, {
      repositoryId: event.repository.id,
      who: event.sender?.login ?? 'Penstock (the sweep found it)',
      what: `text-${event.action}`,
      why: `${source} by ${event.author.login}`,
      detail: { personId: event.sender?.id ?? null, pullRequest: event.number, withdrawn: votes },
    });
    return votes;
  });
  // Also when they were withdrawn before: the process may have ended before the drawing.
  const voted = event.action === 'dismissed' ? await executionsVotedFrom(deps.db, source) : [];
  for (const execution of voted) await deps.engine.refresh(execution);
  return handled(
    `${source} was ${event.action}: on record${withdrawn > 0 ? `, ${withdrawn} answer(s) withdrawn` : ''}`,
  );
}
