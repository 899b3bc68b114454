import { describe, expect, it } from 'vitest';
import { evaluateGate, expiryOf, whyNot } from '../../src/commands/approval-rules.ts';
import type { Binding, GateFacts, GatePerson, PersonFacts, Vote } from '../../src/commands/gate.ts';
import type { ApproverGroup, GatePolicy } from '../../src/commands/gate-policy.ts';
import { defaultApprovers, defaultGatePolicy } from '../../src/commands/gate-policy.ts';
import { policyWords } from '../../src/commands/approvers.ts';

const day = 86_400_000;
const since = '2026-11-23T04:00:00.000Z';

const binding: Binding = {
  execution: 'execution-1',
  token: 'token-1',
  headSha: 'a'.repeat(40),
  baseSha: 'b'.repeat(40),
  configDigest: 'digest-1',
};

function person(id: number, login: string, more: Partial<PersonFacts> = {}): PersonFacts {
  return { id, login, bot: false, permission: 'write', teams: [], ...more };
}

const author = person(1, 'author', { permission: 'admin' });
const pusher = person(2, 'pusher');
const committer = person(3, 'committer');
const bob = person(10, 'bob');
const carol = person(11, 'carol', { teams: ['acme/release'] });
const dave = person(12, 'dave', { teams: ['acme/security', 'acme/release'] });
const admin = person(13, 'root', { permission: 'admin' });
const reader = person(20, 'reader', { permission: 'read' });
const everybody = [author, pusher, committer, bob, carol, dave, admin, reader];

function policy(more: Partial<GatePolicy> = {}): GatePolicy {
  return { ...defaultGatePolicy, ...more };
}

function group(count: number, more: Partial<ApproverGroup> = {}): ApproverGroup {
  return { ...defaultApprovers, count, ...more };
}

function vote(who: GatePerson, answer: Vote['answer'] = 'approve', more: Partial<Vote> = {}): Vote {
  return {
    person: { id: who.id, login: who.login },
    answer,
    channel: 'comment',
    reason: '',
    at: '2026-11-23T05:00:00.000Z',
    binding,
    ...more,
  };
}

function facts(votes: readonly Vote[], more: Partial<GateFacts> = {}): GateFacts {
  return {
    binding,
    waitingSince: since,
    now: '2026-11-23T06:00:00.000Z',
    votes,
    people: everybody,
    author,
    lastPusher: pusher,
    committers: [author, pusher, committer],
    unmappedAuthors: [],
    fork: false,
    owners: [],
    ...more,
  };
}

function outcome(votes: readonly Vote[], rules: Partial<GatePolicy> = {}, more: Partial<GateFacts> = {}): string {
  return evaluateGate(policy(rules), facts(votes, more)).outcome;
}

/** Why the vote of that person did not count. */
function why(votes: readonly Vote[], rules: Partial<GatePolicy> = {}, more: Partial<GateFacts> = {}): string {
  const [first] = evaluateGate(policy(rules), facts(votes, more)).notCounted;
  return first?.why ?? 'it counted';
}

describe('by default one person with write access who had no part in the change is enough', () => {
  it('a writer releases the gate', () => {
    const verdict = evaluateGate(policy(), facts([vote(bob, 'approve', { reason: 'checked' })]));
    expect(verdict).toMatchObject({ outcome: 'approved', needed: 1, had: 1, notCounted: [] });
    expect(verdict.counted).toEqual([
      {
        person: { id: 10, login: 'bob' },
        answer: 'approve',
        channel: 'comment',
        reason: 'checked',
        at: '2026-11-23T05:00:00.000Z',
      },
    ]);
  });

  it.each([
    ['SEC-B-01 the author, by comment', author, {}, 'an author does not count for their own change'],
    ['SEC-B-01 the author, by button', author, { channel: 'button' }, 'an author does not count for their own change'],
    ['SEC-B-01 the author, by review', author, { channel: 'review' }, 'an author does not count for their own change'],
    ['SEC-B-02 the last pusher', pusher, {}, 'whoever pushed or merged last does not count'],
    ['SEC-B-02 a committer', committer, {}, 'whoever has commits in the change does not count'],
    ['SEC-B-04 a reader', reader, {}, 'write access is needed, and there is only read access'],
  ] as const)('%s does not count', (_name, who, more, expected) => {
    expect(why([vote(who, 'approve', more)])).toBe(expected);
    expect(outcome([vote(who, 'approve', more)])).toBe('waiting');
  });

  it.each([
    [
      'SEC-B-06 a person whom GitHub could not be asked about',
      { permission: 'unknown' },
      'GitHub could not say which access there is',
    ],
    [
      'SEC-B-07 a person who lost access before the release',
      { permission: 'none' },
      'write access is needed, and there is none',
    ],
    ['SEC-B-08 a bot', { bot: true }, 'bots do not count'],
  ] as const)('%s does not count', (_name, now, expected) => {
    expect(why([vote(bob)], {}, { people: [{ ...bob, ...now }] })).toBe(expected);
  });

  it('a person about whom nothing is known does not count', () => {
    expect(why([vote(bob)], {}, { people: [] })).toBe('GitHub could not say which access there is');
  });

  it('SEC-B-11 identity is the number: a renamed account still counts, a namesake does not', () => {
    const renamed = { ...bob, login: 'robert' };
    expect(outcome([vote(bob)], {}, { people: [renamed] })).toBe('approved');
    expect(outcome([vote(bob)], {}, { people: [{ ...bob, id: 99 }] })).toBe('waiting');
  });
});

describe('an answer is bound to all that it was given for (SEC R1)', () => {
  it.each([
    ['SEC-A-01 another commit', { headSha: 'c'.repeat(40) }, 'it was given for ccccccc, and this is aaaaaaa'],
    [
      'SEC-A-07 an earlier execution of the same commit',
      { execution: 'execution-0' },
      'it was given for another run of this gate',
    ],
    [
      'SEC-A-08 another pull request with the same head',
      { execution: 'execution-2' },
      'it was given for another run of this gate',
    ],
    ['SEC-A-09 the attempt before a retry', { token: 'token-0' }, 'it was given for another run of this gate'],
    ['SEC-A-13 another base', { baseSha: 'd'.repeat(40) }, 'the base of the change is another one now'],
    ['SEC-A-14 another configuration', { configDigest: 'digest-2' }, 'the configuration changed since'],
  ] as const)('%s does not count', (_name, other, expected) => {
    const votes = [vote(bob, 'approve', { binding: { ...binding, ...other } })];
    expect(why(votes)).toBe(expected);
    expect(outcome(votes)).toBe('waiting');
  });

  it('a stale answer does not take the place of the good one before it', () => {
    const stale = vote(bob, 'reject', { binding: { ...binding, token: 'token-0' } });
    expect(outcome([vote(bob), stale])).toBe('approved');
  });
});

describe('several answers', () => {
  it('SEC-B-15 one person counts once, by whatever channels', () => {
    const votes = (['review', 'comment', 'button'] as const).map((channel) => vote(bob, 'approve', { channel }));
    expect(evaluateGate(policy({ count: 2 }), facts(votes))).toMatchObject({ outcome: 'waiting', had: 1 });
  });

  it('SEC-B-16 two different people make two', () => {
    expect(outcome([vote(bob), vote(carol)], { count: 2 })).toBe('approved');
  });

  it('SEC-B-17 one rejection ends it, in either order', () => {
    expect(outcome([vote(bob), vote(carol, 'reject')])).toBe('rejected');
    expect(outcome([vote(carol, 'reject'), vote(bob)])).toBe('rejected');
  });

  it('SEC-B-18 what was withdrawn does not count, and nothing older comes back', () => {
    const votes = [vote(bob), vote(bob, 'withdrawn')];
    expect(outcome(votes)).toBe('waiting');
    expect(why(votes)).toBe('it was withdrawn');
    expect(outcome([vote(bob), vote(bob, 'reject'), vote(bob, 'withdrawn')])).toBe('waiting');
  });

  it('an answer changed by its giver is the newer one', () => {
    expect(outcome([vote(bob), vote(bob, 'reject')])).toBe('rejected');
    expect(outcome([vote(bob, 'withdrawn'), vote(bob)])).toBe('approved');
  });

  it('the author may reject their own change, but a reader may reject nothing', () => {
    expect(outcome([vote(author, 'reject')])).toBe('rejected');
    expect(outcome([vote(reader, 'reject')])).toBe('waiting');
  });
});

describe('time', () => {
  it('SEC-A-18 after the limit the gate is expired, and what came later does not count', () => {
    const expired = { now: expiryOf(defaultGatePolicy, since) };
    expect(Date.parse(expired.now) - Date.parse(since)).toBe(7 * day);
    expect(outcome([], {}, expired)).toBe('expired');
    expect(outcome([vote(bob)], {}, expired)).toBe('expired');
    expect(why([vote(bob, 'approve', { at: expired.now })], {}, expired)).toBe('it came after the gate had expired');
  });

  it('a moment before, it is not', () => {
    const before = new Date(Date.parse(since) + 7 * day - 1).toISOString();
    expect(outcome([vote(bob)], {}, { now: before })).toBe('approved');
  });
});

describe('what a policy may loosen', () => {
  it.each([
    ['allowAuthor', author, { allowAuthor: true }],
    ['allowLastPusher', pusher, { allowLastPusher: true }],
    ['allowCommitters', committer, { allowCommitters: true }],
  ] as const)('%s', (_name, who, rules) => {
    expect(outcome([vote(who)], rules)).toBe('approved');
  });

  it('allowing one role does not allow another', () => {
    expect(outcome([vote(author)], { allowCommitters: true, allowLastPusher: true })).toBe('waiting');
    expect(outcome([vote(committer)], { allowAuthor: true, allowLastPusher: true })).toBe('waiting');
    expect(outcome([vote(pusher)], { allowAuthor: true })).toBe('waiting');
  });

  it('SEC-B-08 a bot by its exact number', () => {
    const bot = { ...bob, bot: true };
    expect(outcome([vote(bob)], { allowBots: [10] }, { people: [bot] })).toBe('approved');
    expect(outcome([vote(bob)], { allowBots: [110, 1] }, { people: [bot] })).toBe('waiting');
  });

  it('channels that are not taken do not count', () => {
    expect(why([vote(bob, 'approve', { channel: 'review' })], { channels: ['button'] })).toBe(
      'answers by review are not taken here, only by button',
    );
  });
});

describe('answers in a channel that is not taken', () => {
  const rules = { count: 2, channels: ['button'] } as const;

  it('replace no answer that was taken', () => {
    const votes = [vote(bob, 'approve', { channel: 'button' }), vote(bob, 'reject'), vote(carol, 'approve')];
    const verdict = evaluateGate(policy(rules), facts(votes));
    expect([verdict.outcome, verdict.had, verdict.notCounted.length]).toEqual(['waiting', 1, 2]);
  });

  it('take back what was said, when they take back', () => {
    const votes = [vote(bob, 'approve', { channel: 'button' }), vote(bob, 'withdrawn', { channel: 'review' })];
    expect(evaluateGate(policy(rules), facts(votes)).had).toBe(0);
  });
});

describe('who may answer', () => {
  const release = { ...defaultApprovers, teams: ['acme/release'] };

  it('a team', () => {
    expect(outcome([vote(carol)], { from: release })).toBe('approved');
    expect(why([vote(bob)], { from: release })).toBe('only members of team `acme/release` count');
  });

  it('SEC-B-12 a team of the same name in another organisation, or a part of the name, is another team', () => {
    for (const teams of [['other/release'], ['acme/rel'], ['acme/release-2'], ['release']]) {
      expect(outcome([vote(bob)], { from: release }, { people: [{ ...bob, teams }] })).toBe('waiting');
    }
  });

  it('a member of the team still needs write access', () => {
    const member = { ...reader, teams: ['acme/release'] };
    expect(outcome([vote(reader)], { from: release }, { people: [member] })).toBe('waiting');
  });

  it('people by login in any case of letters, or by number', () => {
    expect(outcome([vote(bob)], { from: { ...defaultApprovers, users: ['BOB'] } })).toBe('approved');
    expect(outcome([vote(bob)], { from: { ...defaultApprovers, users: [10] } })).toBe('approved');
  });

  it('SEC-B-09 a number matches that number only, and no login of the same digits', () => {
    const from = { ...defaultApprovers, users: [755_743] };
    for (const who of [person(1_755_743, 'a'), person(7_557_430, 'b'), person(5, '755743')]) {
      expect(outcome([vote(who)], { from }, { people: [who] })).toBe('waiting');
    }
  });

  it('SEC-B-10 no patterns: a star in a name is a star', () => {
    expect(outcome([vote(bob)], { from: { ...defaultApprovers, users: ['b*', '.*'] } })).toBe('waiting');
  });

  it('look-alike letters do not match a name', () => {
    const from = { ...defaultApprovers, users: ['kate'] };
    const kate = person(30, '\u212Aate');
    expect(outcome([vote(kate)], { from }, { people: [kate] })).toBe('waiting');
  });

  it('admins only', () => {
    const from = { ...defaultApprovers, permission: 'admin' } as const;
    expect(outcome([vote(bob)], { from })).toBe('waiting');
    expect(outcome([vote(admin)], { from })).toBe('approved');
  });
});

describe('groups', () => {
  const security = group(1, { teams: ['acme/security'] });
  const release = group(1, { teams: ['acme/release'] });

  it('all of them: one from each, and one person may stand for two', () => {
    const from = { ...defaultApprovers, allOf: [security, release] };
    expect(outcome([vote(carol)], { from })).toBe('waiting');
    expect(outcome([vote(dave)], { from })).toBe('approved');
    expect(outcome([vote(dave)], { from, count: 2 })).toBe('waiting');
    expect(outcome([vote(dave), vote(carol)], { from, count: 2 })).toBe('approved');
  });

  it('any of them', () => {
    const from = { ...defaultApprovers, anyOf: [security, group(2, { teams: ['acme/release'] })] };
    expect(outcome([vote(carol)], { from })).toBe('waiting');
    expect(outcome([vote(dave)], { from })).toBe('approved');
    expect(outcome([vote(bob)], { from })).toBe('waiting');
  });

  it('the tree says which part is missing and who could give it', () => {
    const from = { ...defaultApprovers, allOf: [security, release] };
    const verdict = evaluateGate(policy({ from }), facts([vote(carol)]));
    expect(verdict.explanation).toMatchObject({
      holds: false,
      children: [
        { holds: false, text: '1 member of team `acme/security` with write access', couldLogins: ['dave'] },
        { holds: true, countedLogins: ['carol'] },
      ],
    });
    expect(verdict.whoCould).toEqual(['dave']);
  });

  it('those who do not count are told who does', () => {
    const admins = { ...group(1), permission: 'admin' } as const;
    const listed = { ...defaultApprovers, users: ['erin', 7], teams: ['acme/ops'], codeowners: true };
    const owners = [{ files: ['a.ts'], owners: ['@erin'] }];
    expect(why([vote(bob)], { from: { ...defaultApprovers, anyOf: [security, admins] } })).toBe(
      'only these count: members of team `acme/security`; people with admin access',
    );
    expect(why([vote(bob)], { from: listed }, { owners })).toBe(
      'only `erin`, account 7, members of team `acme/ops` and owners of the touched files count',
    );
    expect(policyWords(policy({ count: 2, from: listed }))).toBe(
      '2 people with write access out of: `erin`, account 7, members of team `acme/ops`, owners of the touched files',
    );
    expect(policyWords(policy({ from: { ...defaultApprovers, teams: ['acme/a', 'acme/b'] } }))).toBe(
      '1 member of team `acme/a` or team `acme/b` with write access',
    );
  });

  it('a policy reads in one line', () => {
    const from = { ...defaultApprovers, allOf: [security], anyOf: [release, group(2)] };
    expect(policyWords(policy({ count: 2, from }))).toBe(
      '2 people with write access, among them 1 member of team `acme/security` with write access, among them either ' +
        '1 member of team `acme/release` with write access or 2 people with write access',
    );
    expect(policyWords(policy({ allowAuthor: true, allowLastPusher: true, allowCommitters: true }))).toBe(
      '1 person with write access; the author, whoever pushed last and authors of its commits may be among them',
    );
  });
});

describe('owners of the touched files', () => {
  const from = { ...defaultApprovers, codeowners: true };
  const docs = { owners: ['@bob'], files: ['docs/a.md', 'docs/b.md'] };
  const code = { owners: ['@acme/release'], files: ['src/x.ts'] };

  it('every touched file needs one of its owners', () => {
    expect(outcome([vote(bob)], { from }, { owners: [docs] })).toBe('approved');
    expect(outcome([vote(bob)], { from }, { owners: [docs, code] })).toBe('waiting');
    expect(outcome([vote(bob), vote(carol)], { from }, { owners: [docs, code] })).toBe('approved');
  });

  it('nobody else counts', () => {
    expect(why([vote(admin)], { from }, { owners: [docs] })).toBe('only owners of the touched files count');
  });

  it('SEC-B-13 an owner without write access does not count', () => {
    const owners = [{ owners: ['@reader'], files: ['x'] }];
    expect(outcome([vote(reader)], { from }, { owners })).toBe('waiting');
  });

  it('an owner needs its @: a bare word, or the middle of an address, is no login', () => {
    expect(outcome([vote(bob)], { from }, { owners: [{ owners: ['xbob'], files: ['x'] }] })).toBe('waiting');
  });

  it('an owner written as a mail address is nobody that Penstock knows', () => {
    expect(outcome([vote(bob)], { from }, { owners: [{ owners: ['bob@example.org'], files: ['x'] }] })).toBe('waiting');
  });

  it('files that nobody owns ask for nobody in particular', () => {
    expect(outcome([vote(bob)], { from }, { owners: [] })).toBe('approved');
  });

  it('lines of CODEOWNERS that cannot be read are named, whether or not somebody else has to answer', () => {
    const skipped = evaluateGate(policy({ from }), facts([vote(bob)], { owners: [docs], skippedOwnerLines: [3, 7] }));
    expect(skipped.outcome).toBe('approved');
    expect(skipped.warnings).toEqual([expect.stringMatching(/CODEOWNERS .* cannot be read .*: 3, 7\.$/)]);
    expect(evaluateGate(policy({ from }), facts([vote(bob)], { owners: [docs] })).warnings).toEqual([]);
  });

  it('when the list of files is cut, it waits and says why', () => {
    const verdict = evaluateGate(policy({ from }), facts([vote(bob)], { owners: 'unknown' }));
    expect(verdict.outcome).toBe('waiting');
    expect(verdict.explanation.children[0]?.text).toContain('is not known');
    expect(verdict.notCounted[0]?.why).toBe('only owners of the touched files count');
  });

  it('when the list of files is cut, people who are named beside the owners do not stand in for them', () => {
    const beside = { ...from, users: ['bob'] };
    const verdict = evaluateGate(policy({ from: beside }), facts([vote(bob)], { owners: 'unknown' }));
    expect([verdict.had, verdict.outcome]).toEqual([1, 'waiting']);
  });
});

describe('commit authors whom GitHub cannot map (SEC R4)', () => {
  it('warn in a pull request of the same repository', () => {
    const verdict = evaluateGate(policy(), facts([vote(bob)], { unmappedAuthors: ['Mallory'] }));
    expect(verdict.outcome).toBe('approved');
    expect(verdict.warnings).toEqual([
      'One commit author has no GitHub account, so it cannot be told whether an approver wrote the commits.',
    ]);
  });

  it('block a fork, unless committers count anyhow', () => {
    const fork = { unmappedAuthors: ['Mallory', 'Eve'], fork: true };
    const verdict = evaluateGate(policy(), facts([vote(bob)], fork));
    expect(verdict.outcome).toBe('waiting');
    const missing = { holds: false, text: 'every commit author has a GitHub account (2 without)' };
    expect(verdict.explanation.children.at(-1)).toMatchObject(missing);
    expect(outcome([vote(bob)], { allowCommitters: true }, fork)).toBe('approved');
  });
});

describe('who could', () => {
  it('names those whose approval would count now', () => {
    expect(evaluateGate(policy(), facts([vote(bob)], { people: everybody })).whoCould).toEqual([
      'carol',
      'dave',
      'root',
    ]);
  });

  it('SEC-G-06 a dead end is told', () => {
    const from = { ...defaultApprovers, teams: ['acme/nobody'] };
    expect(evaluateGate(policy({ from }), facts([])).warnings).toEqual([
      'Nobody known to Penstock could give what is missing: look at `gates:` in .github/penstock.yml.',
    ]);
  });

  it('one person can be asked about beforehand', () => {
    expect(whyNot(policy(), facts([]), bob, 'approve')).toBeUndefined();
    expect(whyNot(policy(), facts([]), author, 'approve')).toBe('an author does not count for their own change');
    expect(whyNot(policy(), facts([]), author, 'reject')).toBeUndefined();
  });

  it('warns when fewer people could approve than are needed, unless more were not asked about (SEC-G-06)', () => {
    const three = policy({ count: 3 });
    const few = facts([], { people: [bob, carol] });
    expect(evaluateGate(three, few).warnings).toEqual([
      'Only 2 known to Penstock could give what is missing: look at `gates:` in .github/penstock.yml.',
    ]);
    expect(evaluateGate(three, { ...few, peopleCut: true }).warnings).toEqual([]);
    expect(evaluateGate(policy({ count: 2 }), few).warnings).toEqual([]);
  });
});
