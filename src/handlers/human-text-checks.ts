import { votesFor } from '../db/votes.ts';
import type { Deps } from '../deps.ts';
import { TransientError } from '../errors.ts';
import type { WebhookEvent } from '../github/event.ts';
import { knownExecutions } from './asked.ts';
import { openGates } from './commands/approve.ts';
import { handled, ignored, type Outcome } from './outcome.ts';
import { saveVote, type GateAnswer } from './save-vote.ts';

type HumanText = Extract<WebhookEvent, { kind: 'human-text' }>;

/** GitHub may show a comment later than it tells of it. */
const lagMs = 60_000;

/** Looks whether the words still stand as they were posted (SEC-B-20); answers why they do not. */
export async function changedSince(deps: Pick<Deps, 'github' | 'now'>, text: HumanText): Promise<string | undefined> {
  const edited = 'it was edited before it was read; only what was posted counts';
  if (text.edited) return edited;
  const written = await deps.github.humanTextSince(text.repository, text.number, new Date(text.createdAt));
  const now = written.find(({ source }) => source.kind === text.source.kind && source.id === text.source.id);
  if (now) return now.edited || now.body !== text.body ? edited : undefined;
  if (deps.now().getTime() - Date.parse(text.createdAt) < lagMs)
    throw new TransientError(`GitHub does not show ${text.source.kind} ${text.source.id} yet`);
  return 'it was deleted before it was read';
}

/** A review that asks for changes takes back what its author approved before (SEC-B-18). */
export async function takeBack(deps: Pick<Deps, 'db' | 'engine'>, text: HumanText): Promise<Outcome> {
  const { repository, number, author } = text;
  let taken = 0;
  for (const gate of openGates(await knownExecutions(deps, repository.id, number))) {
    const votes = await votesFor(deps.db, gate.record.execution.id, gate.token);
    if (votes.findLast((vote) => vote.personId === author.id)?.answer !== 'approve') continue;
    await saveVote(deps, gate, changesAskedFor(text));
    await deps.engine.refresh(gate.record.execution.id);
    taken += 1;
  }
  return taken === 0 ? ignored('no command in it') : handled(`changes were asked for: ${taken} approval(s) taken back`);
}

function changesAskedFor({ author, source }: HumanText): GateAnswer {
  return {
    person: author,
    answer: 'withdrawn',
    channel: 'review',
    source: `${source.kind}/${source.id}`,
    reason: 'changes were asked for',
  };
}
