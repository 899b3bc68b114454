import { approversHold, whyNotAmong } from './approvers.ts';
import type {
  Binding,
  CountedVote,
  Explanation,
  GateFacts,
  GatePerson,
  GateVerdict,
  PersonFacts,
  Vote,
} from './gate.ts';
import type { GatePolicy } from './gate-policy.ts';

export type { GateFacts, GateVerdict, PersonFacts, Vote } from './gate.ts';
export type { GatePolicy } from './gate-policy.ts';

/**
 * Judges a gate from the votes that are stored and what GitHub says about people now. Called when a vote arrives and once
 * more in the transaction that releases the gate (SEC R2). The same facts give the same verdict.
 *
 * - A person's newest bound answer is their only one; nothing brings an older one back (SEC-B-18).
 * - One rejection by somebody who may reject ends the gate, however many approved before.
 * - After the limit the gate is expired, however many approved before; a rejection from before stays one.
 */
export function evaluateGate(policy: GatePolicy, facts: GateFacts): GateVerdict {
  const { counted, notCounted } = sortVotes(policy, facts);
  const approvals = counted.filter((vote) => vote.answer === 'approve');
  const people = approvals.map((vote) => vote.person);
  const couldApprove = facts.people.filter(
    (person) => !people.some(({ id }) => id === person.id) && whyNot(policy, facts, person, 'approve') === undefined,
  );
  const explanation = explain(policy, facts, people, couldApprove);
  return {
    outcome: outcomeOf(policy, facts, counted, explanation),
    needed: policy.count,
    had: people.length,
    counted,
    notCounted,
    explanation,
    whoCould: couldApprove.map(({ login }) => login),
    warnings: warningsOf(policy, facts, explanation, couldApprove),
  };
}

/** Why this person's answer to the gate would not count; undefined when it would. A rule, so that it can be told to the person and of the person. */
export function whyNot(
  policy: GatePolicy,
  facts: GateFacts,
  person: PersonFacts,
  answer: 'approve' | 'reject',
): string | undefined {
  if (person.bot && !policy.allowBots.includes(person.id)) return 'bots do not count';
  if (person.permission === 'unknown') return 'GitHub could not say which access there is';
  // Saying no to one's own change is always allowed to those who could say yes to another's.
  const part = answer === 'approve' ? partIn(policy, facts, person) : undefined;
  return part ?? whyNotAmong(policy.from, person, facts);
}

/** ISO 8601: from then on the gate is expired. */
export function expiryOf(policy: Pick<GatePolicy, 'expireAfterMs'>, waitingSince: string): string {
  return new Date(Date.parse(waitingSince) + policy.expireAfterMs).toISOString();
}

function partIn(policy: GatePolicy, facts: GateFacts, { id }: GatePerson): string | undefined {
  if (!policy.allowAuthor && facts.author?.id === id) return 'an author does not count for their own change';
  if (!policy.allowLastPusher && facts.lastPusher?.id === id) return 'whoever pushed or merged last does not count';
  const isCommitter = facts.committers.some((committer) => committer.id === id);
  // Whoever may count as the author or the last pusher has commits in the change as a rule.
  const isAllowed =
    policy.allowCommitters ||
    (policy.allowAuthor && facts.author?.id === id) ||
    (policy.allowLastPusher && facts.lastPusher?.id === id);
  return isCommitter && !isAllowed ? 'whoever has commits in the change does not count' : undefined;
}

interface SortedVotes {
  readonly counted: readonly CountedVote[];
  readonly notCounted: GateVerdict['notCounted'];
}

function sortVotes(policy: GatePolicy, facts: GateFacts): SortedVotes {
  const counted: CountedVote[] = [];
  const notCounted: GateVerdict['notCounted'][number][] = [];
  const newest = new Map<number, Vote>();
  for (const vote of facts.votes) {
    const why = whyUnbound(vote.binding, facts.binding) ?? whyUnheard(policy, vote);
    if (why === undefined) newest.set(vote.person.id, vote);
    else notCounted.push({ person: vote.person, answer: vote.answer, at: vote.at, why });
  }
  for (const vote of newest.values()) {
    const { answer, channel, reason, at } = vote;
    const person = underLoginOfToday(facts, vote.person);
    const why = whyVoteNotCounted(policy, facts, vote);
    if (answer === 'withdrawn' || why !== undefined) notCounted.push({ person, answer, at, why: why ?? 'withdrawn' });
    else counted.push({ person, answer, channel, reason, at });
  }
  return { counted, notCounted };
}

/** The vote may have been given under an older login. */
function underLoginOfToday({ people }: GateFacts, { id, login }: GatePerson): GatePerson {
  return { id, login: people.find((one) => one.id === id)?.login ?? login };
}

function whyVoteNotCounted(policy: GatePolicy, facts: GateFacts, vote: Vote): string | undefined {
  if (vote.answer === 'withdrawn') return 'it was withdrawn';
  if (vote.at >= expiryOf(policy, facts.waitingSince)) return 'it came after the gate had expired';
  const person = facts.people.find(({ id }) => id === vote.person.id);
  return person ? whyNot(policy, facts, person, vote.answer) : 'GitHub could not say which access there is';
}

/** What is not taken here is no answer, so it does not replace one that was. Taking back is always heard. */
function whyUnheard({ channels }: GatePolicy, { answer, channel }: Vote): string | undefined {
  if (answer === 'withdrawn' || channels.includes(channel)) return undefined;
  return `answers by ${channel} are not taken here, only by ${channels.join(' or ')}`;
}

/** Any difference between what was voted on and what would be released makes the vote void (SEC R1). */
function whyUnbound(vote: Binding, gate: Binding): string | undefined {
  if (vote.headSha !== gate.headSha)
    return `it was given for ${vote.headSha.slice(0, 7)}, and this is ${gate.headSha.slice(0, 7)}`;
  if (vote.execution !== gate.execution || vote.token !== gate.token)
    return 'it was given for another run of this gate';
  if (vote.baseSha !== gate.baseSha) return 'the base of the change is another one now';
  return vote.configDigest === gate.configDigest ? undefined : 'the configuration changed since';
}

function explain(
  policy: GatePolicy,
  facts: GateFacts,
  people: readonly GatePerson[],
  could: readonly PersonFacts[],
): Explanation {
  const counting = facts.people.filter((person) => people.some(({ id }) => id === person.id));
  const node = approversHold({ ...policy.from, count: policy.count }, counting, could, facts);
  if (!isBlockedByUnmapped(policy, facts)) return node;
  const unmapped: Explanation = {
    holds: false,
    text: `every commit author has a GitHub account (${facts.unmappedAuthors.length} without)`,
    countedLogins: [],
    couldLogins: [],
    children: [],
  };
  return { ...node, holds: false, children: [...node.children, unmapped] };
}

/** An author without an account could be the approver; a fork does not get the benefit of the doubt (SEC R4). */
function isBlockedByUnmapped(policy: GatePolicy, facts: GateFacts): boolean {
  return facts.fork && !policy.allowCommitters && facts.unmappedAuthors.length > 0;
}

function outcomeOf(
  policy: GatePolicy,
  facts: GateFacts,
  counted: readonly CountedVote[],
  explanation: Explanation,
): GateVerdict['outcome'] {
  if (counted.some((vote) => vote.answer === 'reject')) return 'rejected';
  if (facts.now >= expiryOf(policy, facts.waitingSince)) return 'expired';
  return explanation.holds ? 'approved' : 'waiting';
}

function warningsOf(
  policy: GatePolicy,
  facts: GateFacts,
  explanation: Explanation,
  could: readonly PersonFacts[],
): string[] {
  const warnings: string[] = [];
  const names = facts.unmappedAuthors.length;
  if (names > 0 && !policy.allowCommitters)
    warnings.push(
      `${names === 1 ? 'One commit author has' : `${names} commit authors have`} no GitHub account, ` +
        'so it cannot be told whether an approver wrote the commits.',
    );
  const skipped = facts.skippedOwnerLines ?? [];
  if (skipped.length > 0)
    warnings.push(`What CODEOWNERS says in these lines cannot be read and does not count: ${skipped.join(', ')}.`);
  if (!explanation.holds && !facts.peopleCut) warnings.push(...tooFew(policy, explanation, could.length));
  return warnings;
}

/** A gate that cannot be passed by anybody would be a silent dead end (SEC-G-06). */
function tooFew(policy: GatePolicy, explanation: Explanation, could: number): string[] {
  const missing = policy.count - explanation.countedLogins.length;
  if (could > 0 && could >= missing) return [];
  const who = could === 0 ? 'Nobody known to Penstock could' : `Only ${could} known to Penstock could`;
  return [`${who} give what is missing: look at \`gates:\` in .github/penstock.yml.`];
}
