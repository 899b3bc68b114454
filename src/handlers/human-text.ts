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
import { knownExecutions, type Answer, type Asked } from './asked.ts';
import { changedSince, takeBack } from './human-text-checks.ts';
import { loadGoverning } from './load-governing.ts';
import { handled, ignored, type Outcome } from './outcome.ts';
import { answerLine, type LineAnswer } from './run-command.ts';
import { accessOf, limitPerson, mayHaveWords, passOver, type Claim } from './talk-limits.ts';

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
  const taken = text.review?.state === 'changes_requested' ? await takeBack(deps, text) : noCommand;
  // Most comments hold no command, however a repository wants them written: they cost no question to GitHub.
  const perhaps = parseComment(text.body, { bare: true });
  if (perhaps.length === 0) return taken;
  const passed = await passOver(deps, claimOf(text, perhaps, claimer));
  if (passed) return passed;
  const { repository, number } = text;
  const pullRequest = await deps.github.pullRequest(repository, number);
  if (!pullRequest) return ignored(`there is no pull request #${number}`);
  const { definitions, bare } = await namesOf(deps, text, pullRequest);
  const lines = parseComment(text.body, { bare, known: knownPipelines(definitions) });
  if (lines.length === 0) return taken;
  const gone = await changedSince(deps, text);
  if (gone !== undefined) return ignored(gone);
  const claim = claimOf(text, lines, claimer);
  if ((await claimCommand(deps.db, claim)) === 'known') return ignored('these commands were taken before');
  const limited = await limitPerson(deps, repository, claim);
  if (limited) return limited;
  await deps.github.react(repository, text.source, 'eyes');
  const permission = await accessOf(deps, repository, { person: text.author, since: text.createdAt });
  // What GitHub says later of the commit of a review may have moved on with the branch (SEC-A-06).
  const reviewed = text.review && claimer !== 'sweep' ? { reviewed: text.review.sha } : {};
  const said = { text, pullRequest, source: claim.source, permission, reviewed };
  const answers = await answerAll(deps, said, lines);
  await acknowledge(deps, said, answers);
  const outcome = answers.map(({ line, answer }) => `${line.text}: ${answer.mark}`).join('; ');
  await finishCommand(deps.db, claim.source, { outcome, answer: renderReply(answers) ?? '' });
  return handled(outcome);
}

const noCommand = ignored('no command in it');

function claimOf(text: HumanText, lines: readonly ParsedLine[], claimer: string): Claim {
  return {
    source: `${text.source.kind}/${text.source.id}`,
    repositoryId: text.repository.id,
    pullRequest: text.number,
    personId: text.author.id,
    login: text.author.login,
    text: lines.map((line) => line.text).join('\n'),
    claimer,
  };
}

interface Said {
  readonly text: HumanText;
  readonly pullRequest: PullRequest;
  readonly source: string;
  readonly permission: Asked['permission'];
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
  const { text, pullRequest, source, permission, reviewed } = said;
  const { author, repository } = text;
  return {
    repository,
    pullRequest,
    person: author,
    permission,
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
async function acknowledge(deps: Deps, said: Said, answers: readonly LineAnswer[]): Promise<void> {
  const { repository, source, number, author: person } = said.text;
  const order: readonly Answer['mark'][] = ['confused', '-1', 'rocket', '+1'];
  const mark = order.find((one) => answers.some(({ answer }) => answer.mark === one));
  if (mark) await deps.github.react(repository, source, mark);
  const reply = renderReply(answers, person.login);
  // GitHub takes no reactions on a review, so a review always gets words.
  const body = reply ?? (source.kind === 'review' ? 'Done.' : undefined);
  if (body === undefined) return;
  const asked = { repository, person, permission: said.permission, claim: said.source };
  if (await mayHaveWords(deps, asked, answers))
    await deps.github.comment(repository, number, body, `reply:${said.source}`);
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
