import { expect, it } from 'vitest';
import { renderGateNotice } from '../../src/render/gate-notice.ts';
import { freshVerdict, headSha } from './views.ts';

const notice = {
  pipeline: 'web',
  stage: 'Release',
  action: 'Approve',
  headSha,
  cause: 'push to main by @alice',
  detailsUrl: 'https://penstock.example/executions/1',
  verdict: freshVerdict,
  copy: '/approve web/Release/Approve',
  channels: ['comment', 'button', 'review'],
  call: ['acme/release'],
} as const;

it('a gate is announced with who could, the line to copy, and a call to the team of the policy', () => {
  expect(renderGateNotice(notice)).toMatchInlineSnapshot(`
    "✋ \`web/Release/Approve\` waits for approval of \`1a2b3c4\` (push to main by @⁠alice). [Details](<https://penstock.example/executions/1>).

    - **0 of 1 approval**
      - ✗ 1 person with write access
    - Could approve: \`bob\`, \`carol\`

    To approve, press the button on its check, or comment: \`/approve web/Release/Approve\`

    For @acme/release."
  `);
});

it('nobody else is called, whatever stands in the notice', () => {
  const call = ['acme/release @everybody', '@x/y', 'acme', '../x/y'];
  expect(renderGateNotice({ ...notice, call })).not.toMatch(/@[A-Za-z0-9]/);
});
