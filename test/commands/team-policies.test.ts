import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluateGate } from '../../src/commands/approval-rules.ts';
import { ownedFiles, parseCodeowners } from '../../src/commands/codeowners.ts';
import type { GateFacts, PersonFacts } from '../../src/commands/gate.ts';
import type { GatePolicy } from '../../src/commands/gate-policy.ts';
import { readRepositoryConfig } from '../../src/config/repository.ts';
import { formatProblem } from '../../src/pipeline/problem.ts';

/** The policies of docs/approvals.md, each with who gets through it and who does not. */

const binding = { execution: 'e', token: 't', headSha: 'a'.repeat(40), baseSha: 'b'.repeat(40), configDigest: 'd' };

const people = {
  author: person(1, 'author'),
  peer: person(2, 'peer'),
  other: person(3, 'other'),
  releaser: person(4, 'releaser', ['acme/release']),
  guard: person(5, 'guard', ['acme/security']),
  admin: { ...person(6, 'admin'), permission: 'admin' },
} as const;
type Name = keyof typeof people;

function person(id: number, login: string, teams: readonly string[] = []): PersonFacts {
  return { id, login, bot: false, permission: 'write', teams };
}

const page = readFileSync(join(import.meta.dirname, '../../docs/approvals.md'), 'utf8');

/** As the page has it under that heading, read like any configuration. */
function policyUnder(heading: string): GatePolicy {
  const [, block] = new RegExp(`^### ${heading}\\n\\n\`\`\`yaml\\n([^]*?)\`\`\``, 'm').exec(page) ?? [];
  if (block === undefined) throw new Error(`docs/approvals.md has no policy under ${heading}`);
  const gates = block.replaceAll(/^/gm, '      ');
  const read = readRepositoryConfig(`pipelines:\n  web:\n    definition: web.json\n    gates:\n${gates}\n`);
  if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'));
  const policy = read.config.pipelines[0]?.gates['Release/Approve'];
  if (!policy) throw new Error(`the policy under ${heading} is not of Release/Approve`);
  return policy;
}

function outcome(policy: GatePolicy, approvals: readonly Name[], more: Partial<GateFacts> = {}): string {
  const facts: GateFacts = {
    binding,
    waitingSince: '2026-11-23T04:00:00.000Z',
    now: '2026-11-23T05:00:00.000Z',
    votes: approvals.map((name) => ({
      person: people[name],
      answer: 'approve',
      channel: 'comment',
      reason: '',
      at: '2026-11-23T04:30:00.000Z',
      binding,
    })),
    people: Object.values(people),
    author: people.author,
    committers: [people.author],
    unmappedAuthors: [],
    fork: false,
    owners: [],
    ...more,
  };
  return evaluateGate(policy, facts).outcome;
}

describe('a second pair of eyes: the default', () => {
  const policy = policyUnder('A second pair of eyes');
  it.each([
    [['peer'], 'approved'],
    [['author'], 'waiting'],
    [[], 'waiting'],
  ] as const)('%j: %s', (approvals, expected) => {
    expect(outcome(policy, approvals)).toBe(expected);
  });
});

describe('two people of the release team', () => {
  const policy = policyUnder('Two people of the release team, or the on-call admin as one of them');
  it.each([
    [['releaser'], 'waiting'],
    [['releaser', 'peer'], 'waiting'],
    [['releaser', 'admin'], 'approved'],
  ] as const)('%j: %s', (approvals, expected) => {
    expect(outcome(policy, approvals)).toBe(expected);
  });
});

describe('security and release both', () => {
  const policy = policyUnder('Security and release both');
  it.each([
    [['releaser', 'peer'], 'waiting'],
    [['releaser', 'guard'], 'approved'],
  ] as const)('%j: %s', (approvals, expected) => {
    expect(outcome(policy, approvals)).toBe(expected);
  });
});

describe('an admin alone, or two writers', () => {
  const policy = policyUnder('An admin alone, or two writers');
  it.each([
    [['admin'], 'approved'],
    [['peer'], 'waiting'],
    [['peer', 'other'], 'approved'],
    [['peer', 'author'], 'waiting'],
  ] as const)('%j: %s', (approvals, expected) => {
    expect(outcome(policy, approvals)).toBe(expected);
  });
});

describe('the owners of what was touched', () => {
  const { rules } = parseCodeowners('* @peer\n/infra/ @acme/release\n');
  const policy = policyUnder('The owners of what was touched');
  const touched = (...paths: string[]) => ({ owners: ownedFiles(rules, paths) });
  it.each([
    [['peer'], ['src/a.ts'], 'approved'],
    [['peer'], ['infra/a.tf'], 'waiting'],
    [['releaser'], ['infra/a.tf'], 'approved'],
    [['releaser'], ['infra/a.tf', 'src/a.ts'], 'waiting'],
    [['releaser', 'peer'], ['infra/a.tf', 'src/a.ts'], 'approved'],
  ] as const)('%j for %j: %s', (approvals, paths, expected) => {
    expect(outcome(policy, approvals, touched(...paths))).toBe(expected);
  });
});

describe('a team of one on a staging system: self-approval by button within an hour', () => {
  const policy = policyUnder('A team of one, on a staging system');
  it('the author gets through while the hour lasts', () => {
    const pushed = { lastPusher: people.author };
    expect(outcome(policy, ['author'], { ...pushed, now: '2026-11-23T04:59:59.999Z' })).toBe('approved');
    expect(outcome(policy, ['author'], { ...pushed, now: '2026-11-23T05:00:00.000Z' })).toBe('expired');
    expect(policy.channels).toEqual(['comment', 'button']);
  });
});
