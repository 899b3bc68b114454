import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { format } from 'prettier';
import { describe, expect, it } from 'vitest';
import { verbs } from '../../src/commands/verbs.ts';
import { renderPlan, renderStatus, renderWhy } from '../../src/render/answers.ts';
import { commandsDocument, renderHelp } from '../../src/render/help.ts';
import type { StartNote } from '../../src/render/questions.ts';
import type { LineReply } from '../../src/render/replies.ts';
import { renderReply } from '../../src/render/replies.ts';
import { execution, headSha, ran, source, tested, gateRun, view, waitingVerdict } from './views.ts';

function said(text: string, mark: LineReply['answer']['mark'], words?: string): LineReply {
  const line = { kind: 'command', line: 1, text, command: { verb: 'help' } } as const;
  return { line, answer: { mark, ...(words === undefined ? {} : { text: words }) } };
}

const older = 'c'.repeat(40);
const waiting = view(execution([source, tested, ran('Release', [gateRun])]));
const known = {
  web: {
    stages: [
      { name: 'Test', actions: ['Unit'] },
      { name: 'Deploy', actions: ['Site'] },
    ],
    variables: ['LEVEL'],
  },
};

describe('one reply for one comment', () => {
  it('is silent when reactions say it all', () => {
    expect(renderReply([said('/retry', 'rocket'), said('/approve', 'rocket')])).toBeUndefined();
  });

  it('one line gets its words alone', () => {
    expect(renderReply([said('/approve', '-1', 'No gate waits for an answer here.')], 'alice')).toBe(
      '👎 No gate waits for an answer here.',
    );
  });

  it('several lines get one answer each, in their order', () => {
    const reply = renderReply([said('/retry web', 'rocket'), said('/approve `x`', '-1', 'No.\nSee this.')], 'alice');
    expect(reply).toBe(
      'Reply to `alice`. Line by line:\n\n- 🚀 `/retry web`: done.\n- 👎 `` /approve `x` ``: No.\n  See this.',
    );
  });

  it('SEC-D-08 no line of it can be taken for a command by any bot, and it fits into a comment', () => {
    const words = fc.array(fc.constantFrom('/approve', '\n', '/retry web', 'text', '```'), { maxLength: 20 });
    fc.assert(
      fc.property(words, fc.boolean(), (parts, isOne) => {
        const answer = said('/approve\n/retry', '-1', parts.join(''));
        const reply = renderReply(isOne ? [answer] : [answer, answer]) ?? '';
        expect(reply).not.toMatch(/^[\s>*+-]*\//m);
      }),
    );
    expect(renderReply([said('/why', '+1', 'x'.repeat(100_000))])?.length).toBeLessThanOrEqual(65_536);
  });
});

describe('/status', () => {
  const note = (pipeline: string, outcome: StartNote['outcome'], sha = headSha): StartNote => {
    return { pipeline, outcome, headSha: sha, reason: `because of ${pipeline}` };
  };

  it('says where everything stands, and why something did not start', () => {
    const notes = [note('docs', 'filtered'), note('docs', 'broken', older), note('web', 'started')];
    expect(renderStatus([waiting], notes)).toMatchInlineSnapshot(`
      "**web** at \`1a2b3c4\`: Waiting for approval: comment /approve Release ([details](<https://penstock.example/executions/0f8fad5b>))
      - ✅ Succeeded: \`Source\`, 2s
      - ✅ Succeeded: \`Test\`, 8s
      - ✋ Waiting for approval: \`Release\`
      - ▫️ Not reached: \`Deploy\`

      **Did not start**
      - \`docs\` at \`1a2b3c4\`: left out by its filters: because of docs"
    `);
  });

  it('tells why the newer commit has no execution although an older one had', () => {
    expect(renderStatus([waiting], [note('web', 'held', older)])).toContain('`web` at `ccccccc`: waits to be allowed');
  });

  it('never is silent', () => {
    expect(renderStatus([], [])).toContain('Is there a `.github/penstock.yml` on the base branch?');
  });
});

describe('/why', () => {
  it('tells the story of each gate and the line that answers it', () => {
    const gate = { pipeline: 'web', stage: 'Release', action: 'Approve', verdict: waitingVerdict };
    const channels = ['comment', 'button', 'review'] as const;
    expect(renderWhy([{ ...gate, channels, copy: '/approve web/Release/Approve' }])).toMatchInlineSnapshot(`
      "**web/Release/Approve** waits
      - **1 of 2 approvals**
        - ✗ 2 members of team \`acme/release\` with write access: so far \`bob\`
      - ✅ \`bob\` approved by comment, 2026-11-23 04:01 UTC: checked on staging
      - ▫️ The approval of \`alice\` does not count: an author does not count for their own change
      - Could approve: \`carol\`
      - To approve, press the button on its check, or comment: \`/approve web/Release/Approve\`"
    `);
    expect(renderWhy([])).toBe('No gate waits for an answer here.');
  });
});

describe('/plan', () => {
  it('says what would start, by which filter, and whether the asker could pass its gates', () => {
    const gate = { stage: 'Release', action: 'Approve', needs: '2 people with write access' };
    const plan = renderPlan([
      {
        pipeline: 'web',
        starts: true,
        why: 'pull request into main',
        gates: [{ ...gate, whyNot: 'an author does not count for their own change' }],
      },
      {
        pipeline: 'docs',
        starts: false,
        why: 'no changed file matches docs/**',
        gates: [],
        inPullRequest: 'it would start',
      },
    ]);
    expect(plan).toMatchInlineSnapshot(`
      "This pull request changes the configuration. What it changes holds after the merge; until then the base branch decides.

      **web** ▶️ starts: pull request into main
      - ✋ \`Release/Approve\` needs 2 people with write access; your approval would not count: an author does not count for their own change

      **docs** ⏭️ does not start: no changed file matches docs/&#42;&#42;
      - After the merge: it would start"
    `);
    expect(renderPlan([])).toBe('No pipeline is configured here.');
  });
});

describe('/help', () => {
  it('shows only what this person may do here', () => {
    const gates = {
      web: [{ stage: 'Deploy', action: 'Approve', needs: '1 person with write access', whyNot: 'you wrote it' }],
    };
    const help = renderHelp({
      allowed: ['approve', 'status', 'help'],
      useless: ['approve'],
      known,
      gates,
      prefix: '/',
    });
    expect(help).toMatchInlineSnapshot(`
      "Write a command on a line of its own. You may:

      | Command | What it does |
      | --- | --- |
      | \`/status [pipeline]\` | Says where every execution of this pull request stands, and why something did not start. |
      | \`/help [verb]\` | Says what you may do here. |

      12 more commands need write access to this repository.

      Pipelines here:
      - \`web\`: \`Test\` → \`Deploy\`; variables \`LEVEL\`
        - ✋ \`Deploy/Approve\` needs 1 person with write access; your approval would not count: you wrote it"
    `);
  });

  it('explains one verb, in the form that is understood here', () => {
    const facts = { allowed: verbs, useless: ['run'], known, gates: {}, prefix: '/penstock ' } as const;
    expect(renderHelp(facts, 'run')).toContain('On this pull request it would be refused from you.');
    expect(renderHelp(facts, 'retry')).toMatchInlineSnapshot(
      `"\`/penstock retry [pipeline/stage] [all]\`: Runs the failed actions of the failed stage again, on the same commit; with \`all\`, every action of the stage. For example \`/penstock retry web/Test all\`."`,
    );
  });

  it('and docs/commands.md come from one table, to the byte', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/commands.md'), 'utf8');
    const [table] = /^\| command [^]*?\n(?=\n)/m.exec(page) ?? [];
    expect(table).toBe(await format(commandsDocument(), { parser: 'markdown' }));
  });
});
