import type { Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, test } from 'vitest';
import { parseComment } from '../../src/commands/parse-comment.ts';
import type { Deps } from '../../src/deps.ts';
import type { Asked } from '../../src/handlers/asked.ts';
import { answerLine } from '../../src/handlers/run-command.ts';
import { renderReply } from '../../src/render/replies.ts';

const known = {
  web: { stages: [{ name: 'Release', actions: ['Approve'] }], variables: ['LEVEL'] },
  '-lgtm': { stages: [{ name: 'Deploy', actions: ['Site'] }], variables: [] },
};

/** What is read as running text, where GitHub looks for mentions and links. */
function runningText(node: Nodes): string {
  if ('children' in node) return node.children.map(runningText).join(' ');
  return node.type === 'text' || node.type === 'html' ? node.value : '';
}

describe('nothing is echoed that another bot, or GitHub, could obey (SEC-D-05, SEC-D-08)', () => {
  test.each([
    '/run @acme/team',
    '/run web @acme/team',
    '/run web LEVEL=1 @x=/lgtm',
    '/run web\n/run /lgtm\n/retry @all',
    '/run -lgtm X=@all',
    '/hold web/Release',
    '/hold web/@team /lgtm',
    '/hold /lgtm because',
    '/release @team/lgtm',
    '/rollback web/Release /merge',
    '/override web/Release/Approve /lgtm',
    '/approve @acme/team=1',
    '/reject "/lgtm @all',
    '/ok-to-test @octocat',
    '/help @octocat',
    '/help /lgtm',
    '/penstock @octocat',
    '/penstock /lgtm',
    '/retry `@octocat` /lgtm',
    '/run web https://evil.example/#1 /merge @x',
    `/retry ${'`'.repeat(40)}@octocat`,
  ])('%s', async (body) => {
    const lines = parseComment(body, { bare: true, known }).filter((line) => line.kind !== 'command');
    expect(lines).not.toEqual([]);
    // What could not be read is answered without asking anybody.
    const answers = await Promise.all(
      lines.map(async (line) => ({ line, answer: await answerLine({} as Deps, {} as Asked, line) })),
    );
    for (const said of [answers, [...answers, ...answers]]) {
      const reply = renderReply(said, 'dev') ?? '';
      expect(reply).toMatch(/(Usage:|Did you mean) `\//);
      expect(reply).not.toMatch(/^[\s>*+-]*\//m);
      expect(runningText(fromMarkdown(reply))).not.toMatch(/@[\w-]|:\/\/|lgtm|merge/);
    }
  });
});
