import { describe, expect, it } from 'vitest';
import { gateLines } from '../../src/render/gate-story.ts';
import { renderExecution } from '../../src/render/check-run.ts';
import { action, bob, execution, find, ran, source, tested, view, waitingVerdict } from './views.ts';

const no = {
  person: waitingVerdict.counted[0]!.person,
  answer: 'reject',
  channel: 'button',
  reason: '',
  at: '2026-11-23T05:00:00Z',
} as const;

describe('the story of a gate', () => {
  it('tells while it waits who is missing and who could', () => {
    const text = gateLines(waitingVerdict).join('\n');
    expect(text).toContain('- **1 of 2 approvals**');
    expect(text).toContain('✗ 2 members of team `acme/release` with write access: so far `bob`');
    expect(text).toContain('- Could approve: `carol`');
  });

  it.each([
    [{ ...waitingVerdict, outcome: 'approved', had: 2 }, '- **Approved: 2 of 2 approvals**'],
    [{ ...waitingVerdict, outcome: 'rejected', had: 0, counted: [no] }, '- **Rejected, with 0 of 2 approvals**'],
    [{ ...waitingVerdict, outcome: 'expired', warnings: ['nobody could'] }, '- **Expired, with 1 of 2 approvals**'],
  ] as const)('asks nobody any more once it is decided: $outcome', (verdict, first) => {
    const lines = gateLines(verdict);
    expect(lines[0]).toBe(first);
    expect(lines.join('\n')).not.toMatch(/Could approve|⚠️/);
    expect(lines.join('\n')).toContain('does not count');
  });

  it('a rejection is told once with its reason, not with the names that CodePipeline is told', () => {
    const rejectedAs = (summary: string) => {
      const error = { code: 'JobFailed', message: summary };
      const run = action('Approve', { status: 'Failed', answeredBy: bob, summary, error });
      return find(renderExecution(view(execution([source, tested, ran('Release', [run])]))), 'Release').summary;
    };
    expect(rejectedAs('@bob: it locks the table')).toContain('bob rejected it. They said: `it locks the table`.');
    expect(rejectedAs('@bob')).not.toContain('They said');
  });
});
