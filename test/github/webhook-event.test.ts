import { describe, expect, test } from 'vitest';
import type { EventOrIgnored } from '../../src/github/event.ts';
import { subscribedEvents, toWebhookEvent } from '../../src/github/webhook-event.ts';
import { asDeliveredToAnApp, exampleEventNames, webhookExamples } from './webhook-examples.ts';

const sha = 'a'.repeat(40);
const otherSha = 'b'.repeat(40);
const zero = '0'.repeat(40);
const ada = { id: 7, login: 'ada', type: 'User' };
const robot = { id: 8, login: 'helper[bot]', type: 'Bot' };
const web = { id: 42, owner: 'acme', name: 'web', installationId: 5 };
const base = {
  repository: { id: 42, name: 'web', owner: { login: 'acme' } },
  installation: { id: 5 },
  sender: ada,
};

function reasonOf(result: EventOrIgnored): string {
  return result.kind === 'ignored' ? result.reason : `event ${result.event.kind}`;
}

describe('real payloads', () => {
  const perEvent = subscribedEvents.map((name) => [name, webhookExamples(name)] as const);

  test.each(perEvent)('there are examples of %s, and each becomes an event or a reason', (name, examples) => {
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      const outcome = reasonOf(toWebhookEvent(name, example));
      expect(outcome).not.toBe('');
      expect(outcome).not.toContain('rejected:');
    }
  });

  test('what each event and action leads to', () => {
    const table = perEvent.flatMap(([name, examples]) =>
      examples.map((example) => {
        const action = typeof example['action'] === 'string' ? `.${example['action']}` : '';
        return `${name}${action} -> ${reasonOf(toWebhookEvent(name, asDeliveredToAnApp(example)))}`;
      }),
    );
    expect([...new Set(table)].sort()).toMatchSnapshot();
  });

  test('SEC-E-15 events that we do not subscribe to are ignored by name', () => {
    const others = exampleEventNames().filter((name) => !subscribedEvents.includes(name));
    expect(others.length).toBeGreaterThan(30);
    for (const name of others) {
      for (const example of webhookExamples(name)) {
        expect(reasonOf(toWebhookEvent(name, example))).toBe(`Penstock does not act on ${name} events`);
      }
    }
  });

  test('a delivery of a repository webhook is told from one of the App', () => {
    const { installation: _, ...withoutInstallation } = webhookExamples('pull_request')[0] ?? {};
    expect(reasonOf(toWebhookEvent('pull_request', withoutInstallation))).toBe(
      "pull_request: sent by a repository's own webhook, not by the App's",
    );
  });
});

describe('hostile bodies', () => {
  const bodies: readonly unknown[] = [
    null,
    undefined,
    'x',
    1,
    true,
    [],
    {},
    { action: {} },
    { action: '__proto__' },
    { action: 'constructor' },
    { action: 'toString' },
    JSON.parse('{"__proto__": {"action": "opened"}}'),
    { action: 'opened', pull_request: null },
    { action: 'created', comment: [], issue: 5 },
    { ref: 'refs/heads/main', before: sha, after: 'main; rm -rf /' },
  ];

  test.each(subscribedEvents)('SEC-E-10 %s: any JSON value is ignored with a reason', (name) => {
    for (const body of bodies) {
      const result = toWebhookEvent(name, body);
      expect(result.kind).toBe('ignored');
      expect(reasonOf(result)).not.toBe('');
    }
  });

  test.each(['__proto__', 'constructor', 'error', '*', '', 'a'.repeat(500), 'hasOwnProperty'])(
    'SEC-E-10 an event named %j is ignored',
    (name) => {
      for (const body of bodies) expect(reasonOf(toWebhookEvent(name, body))).toMatch(/^Penstock does not act on /);
    },
  );

  test('SEC-E-05 a body under the header of another event is rejected, with the field that is wrong', () => {
    for (const comment of webhookExamples('issue_comment')) {
      expect(reasonOf(toWebhookEvent('push', comment))).toBe(
        'rejected: body is not a push event (ref: Invalid input: expected string, received undefined)',
      );
    }
    for (const push of webhookExamples('push')) {
      expect(reasonOf(toWebhookEvent('pull_request', push))).toMatch(/^rejected: body is not a pull_request event/);
    }
  });

  test('a getter that throws does not throw out of the door', () => {
    const trap = Object.defineProperty({}, 'ref', {
      enumerable: true,
      get() {
        throw new Error('boo');
      },
    });
    expect(reasonOf(toWebhookEvent('push', trap))).toBe('rejected: body is not a push event (boo)');
  });

  test('SEC-D-20 NUL and lone surrogates never reach the database; ids above 2^53 are refused', () => {
    const body = { ...comment('hi\0 \ud800'), sender: { ...ada, login: 'a\0da' } };
    const result = toWebhookEvent('issue_comment', body);
    expect(result).toMatchObject({ event: { body: 'hi\ufffd \ufffd' } });
    const huge = { ...base, repository: { ...base.repository, id: 2 ** 53 }, ref: 'refs/heads/main' };
    expect(reasonOf(toWebhookEvent('push', { ...push(), ...huge }))).toMatch(/^rejected: .*repository\.id/);
  });
});

function push(changes: Record<string, unknown> = {}) {
  return {
    ...base,
    ref: 'refs/heads/main',
    before: otherSha,
    after: sha,
    created: false,
    deleted: false,
    forced: false,
    head_commit: { id: sha, message: 'Mend the gate\n\nIt leaked.' },
    ...changes,
  };
}

describe('push', () => {
  test('carries the branch, both commits and the message', () => {
    expect(toWebhookEvent('push', push())).toEqual({
      kind: 'event',
      event: {
        kind: 'push',
        repository: web,
        ref: { kind: 'branch', name: 'main' },
        before: otherSha,
        after: sha,
        created: false,
        forced: false,
        sender: { id: 7, login: 'ada', bot: false },
        headMessage: 'Mend the gate\n\nIt leaked.',
      },
    });
  });

  test('CP-D-38 an annotated tag runs the commit that it points to, not the tag object', () => {
    const tag = push({ ref: 'refs/tags/v1/rc', after: otherSha, before: zero, created: true });
    expect(toWebhookEvent('push', tag)).toMatchObject({
      event: { ref: { kind: 'tag', name: 'v1/rc' }, after: sha, created: true },
    });
  });

  test.each([
    ['a deleted branch', { deleted: true, after: zero, head_commit: null }, 'push: branch main was deleted'],
    [
      'a branch of the merge queue',
      { ref: 'refs/heads/gh-readonly-queue/main/pr-1-abc' },
      'push: the merge queue made this branch; its merge_group event decides',
    ],
    ['notes', { ref: 'refs/notes/commits' }, 'push: refs/notes/commits is neither a branch nor a tag'],
    [
      'a very long ref',
      { ref: `refs/x/${'y'.repeat(900)}` },
      `push: refs/x/${'y'.repeat(92)}… is neither a branch nor a tag`,
    ],
  ])('%s starts nothing, and the reason says why', (_, changes, reason) => {
    expect(toWebhookEvent('push', push(changes))).toEqual({ kind: 'ignored', reason });
  });
});

function pullRequest(changes: Record<string, unknown> = {}) {
  return {
    number: 12,
    title: 'Mend',
    state: 'open',
    merged: false,
    draft: false,
    user: ada,
    head: { sha, ref: 'mend', repo: { id: 42 } },
    base: { sha: otherSha, ref: 'main' },
    merge_commit_sha: otherSha,
    ...changes,
  };
}

describe('pull_request', () => {
  test('synchronize says what the head was before', () => {
    const body = { ...base, action: 'synchronize', before: otherSha, after: sha, pull_request: pullRequest() };
    expect(toWebhookEvent('pull_request', body)).toEqual({
      kind: 'event',
      event: {
        kind: 'pull-request',
        action: 'synchronize',
        before: otherSha,
        repository: web,
        sender: { id: 7, login: 'ada', bot: false },
        pullRequest: {
          number: 12,
          title: 'Mend',
          state: 'open',
          merged: false,
          draft: false,
          author: { id: 7, login: 'ada', bot: false },
          headSha: sha,
          headRef: 'mend',
          headRepositoryId: 42,
          baseRef: 'main',
          baseSha: otherSha,
          mergeSha: null,
        },
      },
    });
  });

  test('SEC-C-05 a head repository that is gone is null, never ours', () => {
    const body = { ...base, action: 'opened', pull_request: pullRequest({ head: { sha, ref: 'x', repo: null } }) };
    expect(toWebhookEvent('pull_request', body)).toMatchObject({ event: { pullRequest: { headRepositoryId: null } } });
  });

  test('edited counts only when the base changed; a merge carries its commit; a deleted author is ghost', () => {
    const edited = { ...base, action: 'edited', pull_request: pullRequest() };
    expect(reasonOf(toWebhookEvent('pull_request', { ...edited, changes: { title: { from: 'x' } } }))).toBe(
      'pull_request.edited: the base branch is the same',
    );
    const rebased = { ...edited, changes: { base: { ref: { from: 'dev' } } } };
    expect(toWebhookEvent('pull_request', rebased)).toMatchObject({ event: { action: 'edited' } });
    const merged = {
      ...base,
      action: 'closed',
      pull_request: pullRequest({ merged: true, state: 'closed', user: null }),
    };
    expect(toWebhookEvent('pull_request', merged)).toMatchObject({
      event: { pullRequest: { merged: true, mergeSha: otherSha, author: { login: 'ghost' } } },
    });
  });
});

function comment(body: string, changes: Record<string, unknown> = {}, action = 'created') {
  const at = '2026-01-02T03:04:05Z';
  return {
    ...base,
    action,
    issue: { number: 12, pull_request: { url: 'x' } },
    comment: { id: 9, node_id: 'IC_9', body, created_at: at, updated_at: at, user: ada, ...changes },
  };
}

describe('words of people', () => {
  test('a comment on a pull request', () => {
    expect(toWebhookEvent('issue_comment', comment('/approve'))).toEqual({
      kind: 'event',
      event: {
        kind: 'human-text',
        repository: web,
        number: 12,
        source: { kind: 'issue-comment', id: 9, nodeId: 'IC_9' },
        body: '/approve',
        createdAt: '2026-01-02T03:04:05Z',
        edited: false,
        viaApp: false,
        author: { id: 7, login: 'ada', bot: false },
      },
    });
  });

  test('SEC-B-20 a comment that was changed before the delivery says so; SEC-B-08 so does one through an app', () => {
    const changed = comment('/approve', { updated_at: '2026-01-02T03:04:09Z' });
    expect(toWebhookEvent('issue_comment', changed)).toMatchObject({ event: { edited: true } });
    const viaApp = comment('/approve', { performed_via_github_app: { id: 3 } });
    expect(toWebhookEvent('issue_comment', viaApp)).toMatchObject({ event: { viaApp: true } });
    const direct = comment('/approve', { performed_via_github_app: null });
    expect(toWebhookEvent('issue_comment', direct)).toMatchObject({ event: { viaApp: false } });
  });

  test.each([
    ['SEC-B-08 by a bot account', { user: robot }],
    ['SEC-B-08 by a login that ends in [bot]', { user: { id: 8, login: 'helper[bot]' } }],
  ])('%s nothing is obeyed, edited or not', (_, changes) => {
    for (const action of ['created', 'edited', 'deleted']) {
      expect(reasonOf(toWebhookEvent('issue_comment', comment('/approve', changes, action)))).toBe(
        'issue-comment: written by the bot helper[bot]',
      );
    }
  });

  test('SEC-B-19, SEC-B-21 an edit is a change of text, with who did it, and never a command', () => {
    const body = { ...comment('/approve', {}, 'edited'), sender: { id: 1, login: 'admin', type: 'User' } };
    expect(toWebhookEvent('issue_comment', body)).toMatchObject({
      event: { kind: 'text-changed', action: 'edited', author: { login: 'ada' }, sender: { login: 'admin' } },
    });
  });

  test('a comment on a plain issue is none of our business', () => {
    const body = { ...comment('/approve'), issue: { number: 3 } };
    expect(reasonOf(toWebhookEvent('issue_comment', body))).toBe('issue_comment: on an issue, not on a pull request');
  });

  test('a review brings its state and the commit that was reviewed; a dismissed one is a change', () => {
    const review = {
      id: 4,
      node_id: 'PRR_4',
      body: null,
      submitted_at: '2026-01-02T03:04:05Z',
      state: 'approved',
      commit_id: sha,
      user: ada,
    };
    const submitted = { ...base, action: 'submitted', pull_request: { number: 12 }, review };
    expect(toWebhookEvent('pull_request_review', submitted)).toMatchObject({
      event: { kind: 'human-text', body: '', source: { kind: 'review', id: 4 }, review: { state: 'approved', sha } },
    });
    const dismissed = { ...submitted, action: 'dismissed', review: { ...review, state: 'dismissed' } };
    expect(toWebhookEvent('pull_request_review', dismissed)).toMatchObject({
      event: { kind: 'text-changed', action: 'dismissed', source: { kind: 'review', id: 4 } },
    });
    const dateless = { ...submitted, review: { ...review, commit_id: null } };
    expect(reasonOf(toWebhookEvent('pull_request_review', dateless))).toMatch(/^rejected: .*commit_id/);
  });
});

describe('check runs', () => {
  const run = { id: 77, name: 'web', external_id: 'e/s/1', head_sha: sha, app: { id: 99 } };
  const click = { ...base, action: 'requested_action', requested_action: { identifier: 'approve' }, check_run: run };

  test('a button carries the run, its commit and who pressed it', () => {
    expect(toWebhookEvent('check_run', click, 99)).toEqual({
      kind: 'event',
      event: {
        kind: 'button',
        repository: web,
        checkRunId: 77,
        checkName: 'web',
        externalId: 'e/s/1',
        headSha: sha,
        identifier: 'approve',
        sender: { id: 7, login: 'ada', bot: false },
      },
    });
  });

  test('SEC-B-14 the check run of another app is ignored, whatever it is called', () => {
    expect(reasonOf(toWebhookEvent('check_run', click, 100))).toBe('check_run: belongs to another app');
    const anonymous = { ...click, check_run: { ...run, app: null } };
    expect(reasonOf(toWebhookEvent('check_run', anonymous, 99))).toBe('check_run: belongs to another app');
  });

  test('SEC-G-03 check runs and comments that Penstock writes come back as nothing', () => {
    for (const action of ['created', 'completed']) {
      expect(toWebhookEvent('check_run', { ...click, action, sender: robot }, 99)).toMatchObject({ kind: 'ignored' });
    }
    const ours = comment('/approve', { user: robot, performed_via_github_app: { id: 99 } });
    expect(toWebhookEvent('issue_comment', { ...ours, sender: robot }, 99)).toMatchObject({ kind: 'ignored' });
  });

  test('SEC-G-03 bots press no buttons', () => {
    for (const action of ['requested_action', 'rerequested']) {
      expect(reasonOf(toWebhookEvent('check_run', { ...click, action, sender: robot }, 99))).toBe(
        'check_run: asked for by the bot helper[bot]',
      );
    }
  });

  test('re-running one run, or the whole suite', () => {
    expect(toWebhookEvent('check_run', { ...click, action: 'rerequested' })).toMatchObject({
      event: { kind: 'rerun-check', checkRunId: 77 },
    });
    const suite = { ...base, action: 'rerequested', check_suite: { head_sha: sha, app: { id: 99 } } };
    expect(toWebhookEvent('check_suite', suite, 99)).toMatchObject({ event: { kind: 'rerun-suite', headSha: sha } });
  });
});

describe('the rest', () => {
  test('a merge group names branches, not refs, and why it was destroyed', () => {
    const body = {
      ...base,
      action: 'destroyed',
      reason: 'dequeued',
      merge_group: {
        head_sha: sha,
        head_ref: 'refs/heads/gh-readonly-queue/main/pr-1',
        base_sha: otherSha,
        base_ref: 'refs/heads/main',
      },
    };
    expect(toWebhookEvent('merge_group', body)).toMatchObject({
      event: { action: 'destroyed', headRef: 'gh-readonly-queue/main/pr-1', baseRef: 'main', reason: 'dequeued' },
    });
  });

  test('an installation names its repositories when GitHub does', () => {
    const repositories = [{ id: 42, name: 'web', full_name: 'acme/web' }];
    expect(toWebhookEvent('installation', { action: 'created', installation: { id: 5 }, repositories })).toMatchObject({
      event: { action: 'added', installationId: 5, repositories: [web], all: true },
    });
    expect(toWebhookEvent('installation', { action: 'suspend', installation: { id: 5 } })).toMatchObject({
      event: { action: 'suspended', repositories: [], all: true },
    });
    const selection = {
      action: 'removed',
      installation: { id: 5 },
      repositories_added: [],
      repositories_removed: repositories,
    };
    expect(toWebhookEvent('installation_repositories', selection)).toMatchObject({
      event: { action: 'removed', repositories: [web], all: false },
    });
  });

  test('SEC-E-08 a repository keeps its id when it is renamed or moved', () => {
    expect(toWebhookEvent('repository', { ...base, action: 'transferred' })).toEqual({
      kind: 'event',
      event: { kind: 'repository', action: 'transferred', repository: web },
    });
  });
});
