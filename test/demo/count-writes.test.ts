import { expect, test } from 'vitest';
import { countWrites } from '../../src/demo/count-writes.ts';
import type { Exchange } from '../../src/demo/github/http.ts';
import { tellChecks } from '../../src/demo/live-checks.ts';
import type { StoryEvent } from '../../src/demo/narrator.ts';

function exchanges() {
  const listeners = new Set<(exchange: Exchange) => void>();
  return {
    onExchange: (listener: (exchange: Exchange) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    happen: (method: string, path: string, more: Partial<Exchange> = {}) => {
      const answer = { request: null, response: null, status: 200, tookEffect: true, operation: null, query: {} };
      for (const listener of listeners) listener({ ...answer, method, path, at: new Date(0), ...more });
    },
  };
}

function run(id: number, headSha: string, title: string, conclusion: string | null = null): Partial<Exchange> {
  const status = conclusion === null ? 'in_progress' : 'completed';
  return { response: { id, name: 'web', head_sha: headSha, status, conclusion, output: { title } } };
}

test('writes are told apart by the commit and the comment that they belong to', () => {
  const github = exchanges();
  const counter = countWrites(github);
  github.happen('POST', '/repos/acme/web/check-runs', run(1, 'new', 'Running'));
  github.happen('PATCH', '/repos/acme/web/check-runs/1', run(1, 'new', 'Succeeded', 'success'));
  github.happen('POST', '/repos/acme/web/check-runs', run(2, 'old', 'Superseded', 'cancelled'));
  github.happen('POST', '/repos/acme/web/issues/comments/7/reactions');
  github.happen('POST', '/repos/acme/web/issues/comments/8/reactions');
  github.happen('POST', '/repos/acme/web/issues/1/comments', {
    request: { body: 'No.\n\n<!-- penstock:reply_issue-comment/8 -->' },
  });
  github.happen('POST', '/repos/acme/web/labels');
  expect(counter.count({ sha: 'new', accepted: 7, refused: 8 })).toEqual({
    checks: 2,
    older: 1,
    reactions: 1,
    refusal: 2,
    other: 1,
  });
});

test('reads, tokens, refused requests, and what comes after the end are no writes', () => {
  const github = exchanges();
  const counter = countWrites(github);
  github.happen('GET', '/repos/acme/web/check-runs/1');
  github.happen('POST', '/app/installations/1/access_tokens');
  github.happen('POST', '/repos/acme/web/check-runs', { tookEffect: false, status: 403 });
  counter.stop();
  github.happen('POST', '/repos/acme/web/labels');
  expect(counter.count({ sha: 'new', accepted: 7, refused: 8 })).toEqual({
    checks: 0,
    older: 0,
    reactions: 0,
    refusal: 0,
    other: 0,
  });
});

test('a check run is told when it changes, and only then', () => {
  const github = exchanges();
  const told: StoryEvent[] = [];
  const stop = tellChecks(github, { event: (event) => void told.push(event) });
  github.happen('POST', '/repos/acme/web/check-runs', run(1, 'new', 'Running'));
  github.happen('PATCH', '/repos/acme/web/check-runs/1', run(1, 'new', 'Running'));
  github.happen('PATCH', '/repos/acme/web/check-runs/1', run(1, 'new', 'Failed', 'failure'));
  stop();
  github.happen('POST', '/repos/acme/web/check-runs', run(2, 'new', 'Running'));
  expect(told).toEqual([
    { mark: '●', tone: 'busy', what: 'web', text: 'Running' },
    { mark: '✗', tone: 'bad', what: 'web', text: 'Failed' },
  ]);
});
