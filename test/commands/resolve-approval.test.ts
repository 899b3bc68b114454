import { describe, expect, it } from 'vitest';
import type { ApprovalCommand } from '../../src/commands/command.ts';
import type { ApprovalFacts, OfferedGate } from '../../src/commands/resolve-approval.ts';
import { resolveApproval } from '../../src/commands/resolve-approval.ts';

const shaA = 'a1'.repeat(20);
const shaB = 'b2'.repeat(20);

const staging: OfferedGate = {
  pipeline: 'web',
  stage: 'Staging',
  action: 'Approve',
  token: 'token-staging',
  headSha: shaA,
  fork: false,
  requireSha: false,
  announcedAt: '2026-11-23T04:00:00.500Z',
  push: false,
};
const prod: OfferedGate = { ...staging, stage: 'Prod', token: 'token-prod' };

function facts(more: Partial<ApprovalFacts> = {}): ApprovalFacts {
  return {
    gates: [staging],
    createdAt: '2026-11-23T04:05:00Z',
    headThen: shaA,
    headNow: shaA,
    channel: 'comment',
    prefix: '/',
    ...more,
  };
}

function approve(more: Partial<ApprovalCommand> = {}): ApprovalCommand {
  return { verb: 'approve', target: {}, reason: '', ...more };
}

/** The token of the gate, or the refusal. */
function answer(command: ApprovalCommand, given: ApprovalFacts): string {
  const resolved = resolveApproval(command, given);
  return resolved.ok ? resolved.gate.token : resolved.why;
}

const copyA = `Copy \`/approve web/Staging/Approve ${shaA}\`.`;

describe('a button', () => {
  it('carries the commit, so it needs neither digits nor a time', () => {
    const strict = { ...staging, requireSha: true, announcedAt: '2026-11-23T04:59:00Z' };
    expect(answer(approve(), facts({ gates: [strict], channel: 'button', headThen: null }))).toBe('token-staging');
    expect(answer(approve(), facts({ gates: [{ ...strict, fork: true }], channel: 'button' }))).toBe('token-staging');
  });

  it('releases nothing when the head moved on', () => {
    expect(answer(approve(), facts({ channel: 'button', headNow: shaB }))).toContain('is not released');
  });
});

describe('a bare approval in a pull request of the same repository', () => {
  it('SEC-A-03 SEC-A-04 is honoured by default, without a commit or with a shortened one, when one gate waits and the head was its commit', () => {
    expect(answer(approve(), facts())).toBe('token-staging');
    expect(answer(approve({ sha: shaA.slice(0, 7) }), facts())).toBe('token-staging');
  });

  it('SEC-A-03 is refused with the line to copy where the policy asks for the commit', () => {
    const strict = facts({ gates: [{ ...staging, requireSha: true }] });
    expect(answer(approve(), strict)).toBe(`This gate asks for all 40 digits of the commit. ${copyA}`);
    expect(answer(approve({ sha: shaA }), strict)).toBe('token-staging');
  });

  it('SEC-A-04 seven digits are not enough where all are asked for', () => {
    const strict = facts({ gates: [{ ...staging, requireSha: true }] });
    expect(answer(approve({ sha: shaA.slice(0, 7) }), strict)).toContain('all 40 digits');
    expect(answer(approve({ sha: shaA.slice(0, 39) }), strict)).toContain('all 40 digits');
  });

  it('SEC-A-10 is refused when two gates wait, and lists them', () => {
    const two = facts({ gates: [staging, prod] });
    const expected =
      `Several gates wait. Copy one of these: \`/approve web/Staging/Approve ${shaA}\`, ` +
      `\`/approve web/Prod/Approve ${shaA}\`.`;
    expect(answer(approve(), two)).toBe(expected);
    expect(answer(approve({ sha: shaA }), two)).toBe(expected);
    expect(answer(approve({ target: { stage: 'Prod' } }), two)).toBe('token-prod');
  });

  it('is refused when it was written before the gate waited (SEC-E-16)', () => {
    const old = facts({ createdAt: '2026-11-23T03:59:59Z' });
    expect(answer(approve(), old)).toBe(`You wrote this before the gate began to wait. ${copyA}`);
    expect(answer(approve({ sha: shaA }), old)).toContain('before the gate began to wait');
  });

  it('counts in the very second the gate began, because GitHub keeps no fractions', () => {
    expect(answer(approve(), facts({ createdAt: '2026-11-23T04:00:00Z' }))).toBe('token-staging');
  });

  it('is refused when another commit was the head when it was written', () => {
    expect(answer(approve(), facts({ headThen: shaB }))).toBe(
      `When you wrote this the head was \`b2b2b2b\`, and the gate waits for \`a1a1a1a\`. ${copyA}`,
    );
    expect(answer(approve(), facts({ headThen: null }))).toContain('does not know which commit');
    expect(answer(approve({ sha: shaA }), facts({ headThen: null }))).toBe('token-staging');
  });
});

describe('SEC-A-01 a push between the words and the work', () => {
  it('releases nothing and names the new head', () => {
    const pushed = facts({ headNow: shaB });
    const expected =
      'The head of the pull request is `b2b2b2b` by now, so `a1a1a1a` is not released. ' +
      `When the gate of the new commit waits: \`/approve web/Staging/Approve ${shaB}\`.`;
    expect(answer(approve(), pushed)).toBe(expected);
    expect(answer(approve({ sha: shaA }), pushed)).toBe(expected);
    expect(answer(approve({ sha: shaA }), { ...pushed, channel: 'button' })).toBe(expected);
  });
});

describe('a commit that is named', () => {
  it('must be the one that the gate waits for', () => {
    expect(answer(approve({ sha: shaB }), facts())).toBe(
      `You named \`${shaB}\`, and the gate waits for \`a1a1a1a\`. ${copyA}`,
    );
  });

  it('is always needed in full for a fork', () => {
    const fork = facts({ gates: [{ ...staging, fork: true }] });
    expect(answer(approve(), fork)).toContain('For a fork the commit has to be named with all 40 digits');
    expect(answer(approve({ sha: shaA.slice(0, 12) }), fork)).toContain('For a fork');
    expect(answer(approve({ sha: shaA }), fork)).toBe('token-staging');
  });
});

describe('other places and ways', () => {
  it('a button needs no words: it stands on the commit', () => {
    const strict = { ...staging, fork: true, requireSha: true };
    expect(answer(approve({ sha: shaA }), facts({ gates: [strict], channel: 'button', headThen: null }))).toBe(
      'token-staging',
    );
  });

  it('a push execution has a fixed commit, so the head of its merged pull request does not matter', () => {
    expect(answer(approve(), facts({ gates: [{ ...staging, push: true }], headThen: shaB, headNow: shaB }))).toBe(
      'token-staging',
    );
  });

  it('nothing waits, or not what was named', () => {
    expect(answer(approve(), facts({ gates: [] }))).toBe('No gate waits for an answer here.');
    expect(answer(approve({ sha: shaB }), facts({ gates: [], headNow: shaB }))).toBe(
      'No gate waits for an answer here.',
    );
    expect(answer(approve({ sha: shaA }), facts({ gates: [], headNow: null }))).toBe(
      'No gate waits for an answer here.',
    );
    expect(answer(approve({ target: { pipeline: 'web', stage: 'Prod' } }), facts())).toBe(
      `\`web/Prod\` does not wait for an answer. ${copyA}`,
    );
  });

  it('SEC-A-01 an approval of what a push has replaced meanwhile names the new commit and its line', () => {
    const late = facts({ gates: [], headNow: shaB });
    expect(answer(approve({ sha: shaA.slice(0, 10), target: { pipeline: 'web' } }), late)).toBe(
      `You named \`${shaA.slice(0, 10)}\`, and the head of the pull request is \`${shaB.slice(0, 7)}\` by now. ` +
        `When its gate waits: \`/approve web ${shaB}\`.`,
    );
  });

  it('a gate that needs a reason says so before anything is recorded (CP-A-7)', () => {
    const gates = [{ ...staging, reasonNeeded: true }];
    expect(answer(approve(), facts({ gates }))).toBe(
      `This gate needs a reason. Copy \`/approve web/Staging/Approve ${shaA} reason\`.`,
    );
    expect(answer(approve({ reason: 'checked' }), facts({ gates }))).toBe('token-staging');
  });

  it('the line to copy is in the form that is always understood when none is asked for', () => {
    const { prefix: _none, ...rest } = facts({ gates: [staging, prod] });
    expect(answer({ ...approve(), verb: 'reject' }, rest)).toContain('`/penstock reject web/Prod/Approve');
  });
});
