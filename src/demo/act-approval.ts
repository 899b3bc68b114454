import type { PullRequest } from './act-failure.ts';
import { until } from './checks.ts';
import { lastWords } from './penstock-process.ts';
import { author, checkConcludes, evidence, newest, reviewer, type Show } from './show.ts';

export interface Answers {
  /** Ids of the comments. */
  readonly refused: number;
  readonly accepted: number;
}

const patienceMs = 20_000;
const emoji: Readonly<Record<string, string>> = { eyes: '👀', rocket: '🚀', '-1': '👎', '+1': '👍', confused: '😕' };

/** The gate is answered twice: by the author, which does not count, and by somebody else. */
export async function approve(show: Show, pull: PullRequest): Promise<Answers> {
  show.narrator.act('Approval');
  const refused = await refuseAuthor(show, pull);
  const text = 'The hours are the ones on the notice at the door.\n\n/approve';
  const accepted = await comment(show, pull, reviewer, text);
  await reacts(show, accepted, 'rocket');
  const done = { sha: pull.head, conclusion: 'success', title: /^Succeeded/ };
  await checkConcludes(show, { ...done, name: 'web / Release' });
  await checkConcludes(show, { ...done, name: 'web' });
  show.narrator.held(`the answer of ${reviewer} counts, and the stage goes on`);
  return { refused, accepted };
}

async function refuseAuthor(show: Show, pull: PullRequest): Promise<number> {
  const { set, narrator, score, repository } = show;
  const gate = newest(show, pull.head, 'web / Release');
  const buttons = (gate?.buttons ?? []).map(({ label }) => `[${label}]`).join(' ');
  narrator.say(`Check run "web / Release" has the buttons ${buttons} and says:`);
  narrator.markdown(/#### What next\n[^]*(?=\n<sub>)/.exec(gate?.summary ?? '')?.[0] ?? '');
  score.expect({
    expected: 'a gate with the buttons Approve and Reject, and a line to copy',
    holds: buttons === '[Approve] [Reject]' && (gate?.summary?.includes('/approve web/Release') ?? false),
    seen: `${buttons} ${gate?.summary}`,
  });
  narrator.say('');
  const refused = await comment(show, pull, author, '/approve');
  await reacts(show, refused, '-1');
  const reply = await until(
    {
      expected: `a reply to the comment of ${author}`,
      withinMs: patienceMs,
      look: () =>
        set.github.comments(repository, pull.number).find(({ body }) => body.includes(`issue-comment/${refused}`)),
      seen: () => 'a reaction without a reply',
      evidence: () => [lastWords(set.penstock.lastLines())],
    },
    show.signal,
  );
  narrator.say(`${reply.author} replies:`);
  narrator.markdown(reply.body);
  const expected = `a reply that calls ${author} the author and names ${reviewer} as one who could`;
  const holds = /\bauthor\b/.test(reply.body) && reply.body.includes(`\`${reviewer}\``);
  score.expect({ expected, holds, seen: reply.body });
  const after = newest(show, pull.head, 'web / Release');
  score.expect({
    expected: 'the gate to wait still',
    holds: after?.conclusion === 'action_required',
    seen: `${after?.conclusion}: ${after?.title}`,
    evidence: () => evidence(show, pull.head),
  });
  narrator.held('the author is refused, and the gate waits on');
  narrator.say('');
  return refused;
}

function comment(show: Show, pull: PullRequest, login: string, body: string): Promise<number> {
  show.narrator.say(`${login} comments:`);
  show.narrator.quote(body.split('\n'));
  return show.set.github.comment(show.repository, pull.number, login, body);
}

/** Waits for the reaction that says how it ended. */
async function reacts(show: Show, id: number, wanted: string): Promise<void> {
  const { set, narrator, score } = show;
  const contents = () => set.github.reactions(id).map(({ content }) => content);
  const ending = await until(
    {
      expected: `a reaction ${emoji[wanted]} to comment ${id}`,
      withinMs: patienceMs,
      look: () => contents().find((content) => content !== 'eyes'),
      seen: () => contents().join(', ') || 'no reaction',
      evidence: () => [lastWords(set.penstock.lastLines())],
    },
    show.signal,
  );
  score.expect({ expected: `a reaction ${emoji[wanted]}`, holds: ending === wanted, seen: emoji[ending] ?? ending });
  const shown = contents().map((content) => emoji[content] ?? content);
  narrator.say(`penstock reacts: ${shown.join(' ')}`);
}
