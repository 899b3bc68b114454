import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Execution } from '../../src/pipeline/execution.ts';
import { linkKeys, signLink } from '../../src/web/links.ts';
import { executionPageData } from '../../src/web/page-data.ts';
import { pages, type PagesDeps } from '../../src/web/pages.ts';
import {
  actionId,
  executionId,
  failedExecution,
  headSha,
  pageSource,
  runningExecution,
  waitingExecution,
} from './sample-execution.ts';

const keys = linkKeys(['a-webhook-secret-of-some-length!']);
const now = new Date('2026-11-23T04:10:00Z');
const end = new Date('2026-12-07T00:00:00Z');
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'penstock-pages-'));
  mkdirSync(join(directory, executionId));
});

afterEach(() => rmSync(directory, { recursive: true }));

function logFile(execution: string, action: string): string {
  return join(directory, execution, `${action}.log`);
}

/** A server that holds one execution, which `change` can replace while it is looked at. */
function server(execution: Execution, live = false) {
  let current = { execution, live };
  const deps: PagesDeps = {
    loadExecution: (id) =>
      Promise.resolve(
        id === executionId
          ? executionPageData({ ...pageSource(current.execution, current.live), artifacts, reports, phases })
          : null,
      ),
    logFile,
    artifactFile: (action, name) =>
      Promise.resolve(action === actionId('Checkout') && name === 'Src' ? join(directory, 'source.zip') : null),
    linkKeys: keys,
    now: () => now,
    stopping: new AbortController().signal,
    isReady: () => Promise.resolve(true),
  };
  const app = pages(deps);
  const get = (path: string): Promise<Response> => Promise.resolve(app.request(path));
  return { get, change: (next: Execution, nowLive: boolean) => void (current = { execution: next, live: nowLive }) };
}

const reports = {
  [actionId('unit', 2)]: [
    {
      group: 'unit',
      format: 'JUNITXML',
      total: 5,
      passed: 4,
      failed: 1,
      skipped: 0,
      failures: [{ name: 'sum.adds', message: 'expected <b>4', path: 'sum.js', line: 2 }],
      flaky: [{ name: 'net.connects', attempt: 2 }],
      problems: [],
    },
  ],
};
const phases = {
  [actionId('unit', 2)]: [
    {
      phase: 'INSTALL',
      status: 'SUCCEEDED',
      startedAt: '2026-11-23T04:00:02.000Z',
      endedAt: '2026-11-23T04:00:02.300Z',
      attempts: 1,
    },
    {
      phase: 'BUILD',
      status: 'FAILED',
      startedAt: '2026-11-23T04:00:02.300Z',
      endedAt: '2026-11-23T04:03:07.000Z',
      attempts: 2,
      message: 'Error while executing command: <make>',
    },
    { phase: 'POST_BUILD', status: 'IN_PROGRESS', startedAt: '2026-11-23T04:03:07.000Z', attempts: 1 },
  ],
};
const artifacts = { [actionId('Checkout')]: [{ name: 'Src', size: 4, sha256: 'ab'.repeat(32) }] };

function link(path = ''): string {
  const [file, query] = signLink(keys[0], `/executions/${executionId}`, end).split('?');
  return `${file}${path}?${query}`;
}

describe('the page of an execution', () => {
  test('shows stages, actions, attempts, and who has to act', async () => {
    writeFileSync(logFile(executionId, actionId('unit')), 'not ok 6 - Friday differs\n');
    const text = await (await server(waitingExecution(), true).get(link())).text();
    for (const part of ['Source', 'Test', 'Release', 'Checkout', 'unit', 'lint', 'Waiting for approval', 'attempt 2']) {
      expect(text).toContain(part);
    }
    expect(text).toContain('Attempt 1: Failed');
    expect(text).toContain('not ok 6 - Friday differs');
    expect(text).toContain(`https://github.com/acme/web/commit/${headSha}`);
    expect(text).toContain('https://github.com/acme/web/pull/12');
    expect(text).toContain('Not started');
  });

  test('tells what the tests said, and names those that failed', async () => {
    const text = await (await server(waitingExecution()).get(link())).text();
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      'Tests of <code>unit</code>: 4 passed, 1 failed</p> <ul> <li><strong>sum.adds</strong> ' +
        '<span class="soft">sum.js:2</span>: expected &lt;b&gt;4</li><li class="soft">net.connects passed on attempt 2</li>',
    );
  });

  test('shows the phases of a build with their times in a table that is read without eyes (CP 9.4)', async () => {
    const text = (await (await server(waitingExecution()).get(link())).text()).replaceAll(/\s+/g, ' ');
    expect(text).toContain('<caption> Phases of the build unit </caption>');
    for (const column of ['Phase', 'Status', 'Began (UTC)', 'Took']) expect(text).toContain(`>${column}</th>`);
    expect(text).toContain('<td colspan="4" class="bad">Error while executing command: &lt;make&gt;</td>');
    const rows = text.split('<tr>').filter((row) => row.includes('<th scope="row">'));
    const words = rows.map((row) =>
      row
        .replaceAll(/<[^>]*>/g, ' ')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    );
    expect(words).toEqual([
      'INSTALL ✓ Succeeded 04:00:02 300 ms',
      'BUILD ✗ Failed attempt 2 04:00:02 3 min 4 s',
      // The action has ended and this phase has not: the server was killed in it.
      expect.stringMatching(/^POST_BUILD ■ Cut off 04:03:07/),
    ]);
    expect(text).toContain('<details id="phases-unit-2-aaaa-bbbb" >');
  });

  test('lists what an action stored, to be downloaded by the same link and by no other', async () => {
    writeFileSync(join(directory, 'source.zip'), 'PK..');
    const { get } = server(waitingExecution());
    const path = `/artifacts/${actionId('Checkout')}/Src`;
    expect(await (await get(link())).text()).toContain(`${path}?expires=`);
    const answer = await get(link(path));
    expect([answer.status, await answer.text()]).toEqual([200, 'PK..']);
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="Src.zip"');
    expect((await get(link(`/artifacts/${actionId('Checkout')}/Other`))).status).toBe(404);
    expect((await get(`/executions/${executionId}${path}`)).status).toBe(403);
  });

  test('opens the log of what failed, with the reason above it', async () => {
    writeFileSync(logFile(executionId, actionId('unit')), '\u001B[31mnot ok\u001B[0m 6 - Friday differs\n');
    const text = await (await server(failedExecution()).get(link())).text();
    expect(text).toContain('node --test ended with code 1');
    expect(text).toMatch(/<details id="box-unit-1-aaaa-bbbb"\s+open>/);
    expect(text).toContain('not ok 6 - Friday differs');
    expect(text).toContain('Not reached');
    expect(text).not.toContain('<script');
  });

  test('SEC-D-10: a title, a log or a reason that is markup stays text, and the policy lets nothing else run', async () => {
    writeFileSync(logFile(executionId, actionId('unit')), '</pre><script>alert(2)</script><img src=//x>');
    const answer = await server(failedExecution()).get(link());
    const text = await answer.text();
    expect(text).not.toMatch(/<script>alert|<img/);
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(text).toContain('&lt;/pre&gt;&lt;script&gt;alert(2)');
    expect(answer.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+';/,
    );
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('of a long log only the end stands on the page, from a whole line on, with the way to the rest', async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} ${'x'.repeat(20)}`);
    writeFileSync(logFile(executionId, actionId('unit')), `${lines.join('\n')}\n`);
    const text = await (await server(failedExecution()).get(link())).text();
    expect(text).toContain('line 19999 ');
    expect(text).not.toContain('line 0 ');
    expect(text).toMatch(/<pre[^>]*>line \d+ x/);
    expect(text).toMatch(/KiB before it\s+are left out/);
  });
});

describe('SEC-G-04: who may open a page', () => {
  test.each([
    ['without a link', `/executions/${executionId}`],
    ['with the link of another execution', link().replace(executionId, 'another')],
    ['with a changed end', link().replace(/expires=\d+/, 'expires=1999999999')],
    ['its log without a link', `/executions/${executionId}/logs/${actionId('unit')}`],
    ['its events without a link', `/executions/${executionId}/events`],
    ['one that does not exist, without a link', '/executions/none'],
  ])('nobody %s; the answer says how to get a fresh one', async (_how, path) => {
    const answer = await server(failedExecution()).get(path);
    expect(answer.status).toBe(403);
    const text = await answer.text();
    expect(text).toContain('newest check runs');
    expect(text).toContain('penstock link');
    expect(text).not.toContain('unit');
  });

  test('an expired link says that it has ended', async () => {
    const expired = signLink(keys[0], `/executions/${executionId}`, new Date('2026-11-01T00:00:00Z'));
    const answer = await server(failedExecution()).get(expired);
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('This link has ended')]);
  });

  test('a genuine link to what is gone says so', async () => {
    const answer = await server(failedExecution()).get(signLink(keys[0], '/executions/gone', end));
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('No such execution')]);
  });
});

describe('a whole log', () => {
  test('comes as plain text, without colours, streamed to its end', async () => {
    const printed = `${'\u001B[32mok\u001B[0m a line of a test that passes\n'.repeat(50_000)}the end\n`;
    writeFileSync(logFile(executionId, actionId('unit')), printed);
    const answer = await server(failedExecution()).get(link(`/logs/${actionId('unit')}`));
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const text = await answer.text();
    expect(text).toBe(`${'ok a line of a test that passes\n'.repeat(50_000)}the end\n`);
  });

  test.each([['..%2F..%2Fetc%2Fpasswd'], [actionId('publish')], ['']])('is not served for %j', async (id) => {
    expect((await server(failedExecution()).get(link(`/logs/${id}`))).status).toBe(404);
  });

  test('that is missing is explained', async () => {
    const answer = await server(failedExecution()).get(link(`/logs/${actionId('lint')}`));
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('This host has no log')]);
  });
});

test('an open page of a running action hears its log as it is written, that it changed, and that it ended', async () => {
  const file = logFile(executionId, actionId('unit'));
  writeFileSync(file, 'first\n');
  const world = server(runningExecution(), true);
  const answer = await world.get(link('/events'));
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  const heard = reader(answer);
  await heard.until('first');
  appendFileSync(file, '\u001B[31msecond\u001B[0m\n');
  await heard.until('second');
  appendFileSync(file, 'last words\n');
  world.change(failedExecution(), false);
  const events = await heard.until('event: end');
  expect(events).toContain('"text":"first\\n","start":true');
  expect(events).toContain('"text":"second\\n","start":false');
  expect(events.indexOf('last words')).toBeLessThan(events.indexOf('event: end'));
  expect(events.match(/event: state/g)).toHaveLength(2);
});

function reader(answer: Response): { until(part: string): Promise<string> } {
  const stream = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let all = '';
  return {
    until: async (part) => {
      while (!all.includes(part)) {
        const next = await stream?.read();
        if (next === undefined || next.done) throw new Error(`the stream ended without ${part}: ${all}`);
        all += next.value;
      }
      return all;
    },
  };
}
