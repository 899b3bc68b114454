import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { TransientError, UserError, classify } from '../../src/errors.ts';
import { createGitHub } from '../../src/github/octokit-github.ts';
import type { CheckRunDraft } from '../../src/github/github.ts';
import { openWorld, silent } from './with-stand-in.ts';

const run = promisify(execFile);
const nowhere = 'f'.repeat(40);

function draft(headSha: string, changes: Partial<CheckRunDraft> = {}): CheckRunDraft {
  return {
    name: 'web',
    headSha,
    externalId: 'e1//1',
    detailsUrl: 'https://penstock.test/executions/e1',
    status: 'in_progress',
    title: 'Source is running',
    summary: 'Everything is fine.',
    annotations: [],
    buttons: [],
    ...changes,
  };
}

describe('files and commits', () => {
  test('a file at a commit; nothing is null: no such file, no such commit, a folder', async () => {
    const { github, site, web, first } = await openWorld();
    const second = await site.commit('acme/web', {
      branch: 'main',
      author: 'ada',
      message: 'Ünïcode',
      files: { 'ci/ä b#?.yml': 'grüße\n' },
    });
    expect(await github.readFile(web, 'ci/ä b#?.yml', second)).toBe('grüße\n');
    expect(await github.readFile(web, 'ci/ä b#?.yml', first)).toBeNull();
    expect(await github.readFile(web, 'ci', second)).toBeNull();
    expect(await github.readFile(web, 'README.md', nowhere)).toBeNull();
    await expect(github.readFile(web, 'README.md', 'main')).rejects.toThrow(/commit SHA/);
  });

  test('changed files of a push, of one commit and of a pull request; renames count under both names', async () => {
    const { github, site, web, first } = await openWorld();
    const head = await site.commit('acme/web', {
      branch: 'topic',
      author: 'ada',
      message: 'Move it',
      files: { 'README.md': null, 'docs/README.md': 'hello\n', 'a.txt': 'a' },
    });
    const number = await site.openPullRequest('acme/web', { head: 'topic', author: 'ada', title: 'Move it' });
    for (const range of [
      { kind: 'commits', before: first, after: head },
      { kind: 'commit', sha: head },
      { kind: 'pull-request', number },
    ] as const) {
      const { paths, truncated } = await github.changedFiles(web, range);
      expect(paths.toSorted()).toEqual(['README.md', 'a.txt', 'docs/README.md']);
      expect(truncated).toBe(false);
    }
  });

  test('after a force push the old commit may be gone: then anything may have changed', async () => {
    const { github, web, first } = await openWorld();
    expect(await github.changedFiles(web, { kind: 'commits', before: nowhere, after: first })).toEqual({
      paths: [],
      truncated: true,
    });
  });

  test('GitHub lists 300 files of a comparison, which is told as truncated', async () => {
    const { github, site, web, first } = await openWorld();
    const files = Object.fromEntries(Array.from({ length: 305 }, (_, i) => [`many/${i}.txt`, String(i)]));
    const after = await site.commit('acme/web', { branch: 'main', author: 'ada', message: 'Many', files });
    const between = await github.changedFiles(web, { kind: 'commits', before: first, after });
    expect(between.truncated).toBe(true);
    expect(between.paths).toHaveLength(300);
  });

  test('the head of a branch, with a slash in its name too', async () => {
    const { github, site, web, first } = await openWorld();
    expect(await github.branchHead(web, 'main')).toMatchObject({ sha: first });
    const sha = await site.commit('acme/web', { branch: 'fix/a#b', author: 'ada', message: 'Mend', files: { x: 'y' } });
    expect(await github.branchHead(web, 'fix/a#b')).toEqual({ sha, message: 'Mend' });
    expect(await github.branchHead(web, 'gone')).toBeNull();
  });

  test('the push that brought a commit: who, and from where; a branch that was made at it later did not', async () => {
    const { github, site, web, first } = await openWorld();
    const bob = site.createAccount({ login: 'bob' });
    const pushed = { branch: 'main', author: 'ada', by: 'bob', message: 'Mend', files: { x: 'y' } };
    const sha = await site.commit('acme/web', pushed);
    const made = await site.commit('acme/web', { branch: 'new', author: 'ada', message: 'New', files: { z: 'z' } });
    expect(await github.pushOf(web, sha)).toEqual({ before: first, by: { id: bob.id, login: 'bob', bot: false } });
    expect(await github.pushOf(web, made)).toMatchObject({ before: null, by: { login: 'ada' } });
    expect(await github.pushOf(web, 'f'.repeat(40))).toBeNull();
    // Of a branch only its own pushes count: whoever moved main to a commit that stood on another branch brought it there.
    expect(await github.pushOf(web, sha, 'main')).toMatchObject({ before: first, by: { login: 'bob' } });
    expect(await github.pushOf(web, sha, 'new')).toBeNull();
    expect(await github.pushOf(web, made, 'new')).toMatchObject({ before: null, by: { login: 'ada' } });
  });

  test('SEC-B-02 authors, committers and co-authors; people without an account by name', async () => {
    const { github, site, web, first } = await openWorld();
    const bob = site.createAccount({ login: 'bob' });
    const commits = [
      {
        author: 'ada',
        message: `Pair\n\nCo-authored-by: Bob <${bob.id}+bob@users.noreply.github.com>`,
        files: { a: '1' },
      },
      { author: { name: 'Cy', email: 'cy@home.test' }, committer: 'ada', message: 'Patch', files: { b: '1' } },
      { author: 'ada', message: 'Talk\n\nCo-Authored-By: Dee <dee@home.test>', files: { c: '1' } },
    ];
    const after = await site.push('acme/web', { branch: 'topic', by: 'ada', commits });
    const number = await site.openPullRequest('acme/web', { head: 'topic', author: 'ada', title: 'Pair' });
    for (const range of [
      { kind: 'pull-request', number },
      { kind: 'commits', before: first, after },
    ] as const) {
      const { accounts, unmapped } = await github.commitAuthors(web, range);
      expect(accounts.map((account) => account.login).toSorted()).toEqual(['ada', 'bob']);
      expect(unmapped.toSorted()).toEqual(['Cy', 'Dee']);
    }
    const last = await github.commitAuthors(web, { kind: 'commit', sha: after });
    expect(last.unmapped).toEqual(['Dee']);
    const unknown = await github.commitAuthors(web, { kind: 'commits', before: nowhere, after });
    expect(unknown.unmapped).toEqual(['authors of further commits, which GitHub does not list']);
  });
});

describe('pull requests', () => {
  test('one, the open ones, and those of a commit: the merge first', async () => {
    const { github, site, web } = await openWorld();
    const sha = await site.commit('acme/web', { branch: 'topic', author: 'ada', message: 'Work', files: { a: '1' } });
    const number = await site.openPullRequest('acme/web', { head: 'topic', author: 'ada', title: 'Work' });
    expect(await github.pullRequest(web, number)).toMatchObject({
      number,
      title: 'Work',
      state: 'open',
      merged: false,
      headSha: sha,
      headRef: 'topic',
      headRepositoryId: web.id,
      baseRef: 'main',
      mergeSha: null,
      author: { login: 'ada', bot: false },
    });
    expect((await github.openPullRequests(web)).map((pull) => pull.number)).toEqual([number]);
    expect((await github.pullRequestsOf(web, sha)).map((pull) => pull.number)).toEqual([number]);
    const merge = await site.mergePullRequest('acme/web', number, 'bob');
    const [owner] = await github.pullRequestsOf(web, merge);
    expect(owner).toMatchObject({ number, merged: true, state: 'closed', mergeSha: merge });
    expect(await github.openPullRequests(web)).toEqual([]);
    expect(await github.pullRequest(web, 999)).toBeNull();
    expect(await github.pullRequestsOf(web, nowhere)).toEqual([]);
  });
});

describe('people', () => {
  test('SEC-B-04 permission as GitHub reports it; a stranger has none', async () => {
    const { github, site, web } = await openWorld();
    const roles = { maintain: 'write', triage: 'read', admin: 'admin', read: 'read' } as const;
    for (const [role, expected] of Object.entries(roles) as [keyof typeof roles, string][]) {
      site.createAccount({ login: `a-${role}` });
      site.setPermission('acme/web', `a-${role}`, role);
      expect(await github.permissionOf(web, `a-${role}`)).toBe(expected);
    }
    expect(await github.permissionOf(web, 'nobody-knows')).toBe('none');
    const writers = (await github.writers(web)).map((person) => person.login);
    expect(writers).toEqual(expect.arrayContaining(['ada', 'bob', 'a-maintain', 'a-admin']));
    expect(writers).not.toContain('a-triage');
  });

  test('SEC-B-12 only an active member of a team of this organisation is one', async () => {
    const { github, site, web } = await openWorld();
    site.createTeam({ organization: 'acme', slug: 'release', members: ['ada'] });
    site.addToTeam('acme', 'release', 'bob', 'pending');
    expect(await github.isTeamMember(web, 'acme/release', 'ada')).toBe(true);
    expect(await github.isTeamMember(web, 'acme/release', 'bob')).toBe(false);
    expect(await github.isTeamMember(web, 'acme/gone', 'ada')).toBe(false);
    expect(await github.isTeamMember(web, 'other/release', 'ada')).toBe(false);
    expect(await github.isTeamMember(web, 'acme/release/../x', 'ada')).toBe(false);
  });

  test('SEC-B-06 a permission that cannot be asked for is an error, and one that GitHub keeps to itself is unknown', async () => {
    const { github, site, web } = await openWorld();
    for (const status of [500, 502, 503]) {
      site.faults.failRequests({ path: '/permission', status });
      await expect(github.permissionOf(web, 'ada')).rejects.toThrow(TransientError);
    }
    site.faults.failRequests({ path: '/permission', status: 403 });
    expect(await github.permissionOf(web, 'ada')).toBe('unknown');
    expect(await github.permissionOf(web, 'ada')).toBe('write');
    site.faults.limitRequests({ path: '/permission', retryAfterSeconds: 3600 });
    await expect(github.permissionOf(web, 'ada')).rejects.toThrow(TransientError);
  });
});

describe('check runs', () => {
  test('posted, updated, and found again with their buttons and annotations', async () => {
    const { github, site, web, first } = await openWorld();
    const posted = await github.postCheckRun(web, draft(first));
    expect(posted).toMatchObject({ name: 'web', externalId: 'e1//1', status: 'in_progress', conclusion: null });
    await github.updateCheckRun(
      web,
      posted.id,
      draft(first, {
        status: 'completed',
        conclusion: 'action_required',
        completedAt: '2026-01-02T03:04:05Z',
        title: 'Waiting for approval',
        text: 'log',
        annotations: [
          { path: 'a.ts', startLine: 3, endLine: 3, startColumn: 7, level: 'failure', message: 'no', title: 't' },
        ],
        buttons: [{ label: 'Approve', identifier: 'approve', description: 'Let it go on' }],
      }),
    );
    const [shown] = site.checks('acme/web', first);
    expect(shown).toMatchObject({
      conclusion: 'action_required',
      title: 'Waiting for approval',
      text: 'log',
      detailsUrl: 'https://penstock.test/executions/e1',
      annotations: [{ path: 'a.ts', start_line: 3, start_column: 7, annotation_level: 'failure' }],
      buttons: [{ identifier: 'approve' }],
    });
    expect(await github.checkRunsOf(web, first)).toMatchObject([{ id: posted.id, conclusion: 'action_required' }]);
    expect(await github.checkRunsOf(web, first, 'other')).toEqual([]);
  });

  test('SEC-F-12 a lost answer does not make two runs', async () => {
    const { github, site, web, first } = await openWorld();
    site.faults.loseAnswers({ method: 'POST', path: '/check-runs' });
    const posted = await github.postCheckRun(web, draft(first));
    expect(site.allCheckRuns('acme/web', first).map((one) => one.id)).toEqual([posted.id]);
  });

  test('SEC-F-12 a crash between the call and our note of it does not make two runs', async () => {
    const { github, site, web, first } = await openWorld();
    const before = await github.postCheckRun(web, draft(first));
    const after = await github.postCheckRun(web, draft(first, { title: 'Build is running' }));
    expect(after.id).toBe(before.id);
    expect(site.allCheckRuns('acme/web', first)).toMatchObject([{ id: before.id, title: 'Build is running' }]);
    const moved = await github.postCheckRun(web, draft(first, { externalId: 'e1//2' }));
    expect(moved.id).not.toBe(before.id);
    expect((await github.checkRunsOf(web, first)).map((one) => one.id)).toEqual([moved.id, before.id]);
  });

  test('a call that had no effect is for the queue to repeat: here it is made once', async () => {
    const { github, site, web, first, asked } = await openWorld();
    site.faults.failRequests({ method: 'POST', path: '/check-runs', status: 502 });
    await expect(github.postCheckRun(web, draft(first))).rejects.toThrow(TransientError);
    expect(asked.filter((one) => one === 'POST /repos/acme/web/check-runs')).toHaveLength(1);
    expect(site.allCheckRuns('acme/web', first)).toEqual([]);
  });

  test('more than 50 annotations go in several calls, and a repeated update adds none twice', async () => {
    const { github, site, web, first } = await openWorld();
    const annotations = Array.from({ length: 120 }, (_, i) => ({
      path: 'a.ts',
      startLine: i + 1,
      endLine: i + 1,
      level: 'warning' as const,
      message: `line ${i + 1}`,
    }));
    const { id } = await github.postCheckRun(web, draft(first, { annotations }));
    const count = () => site.checks('acme/web', first)[0]?.annotations.length;
    expect(count()).toBe(120);
    await github.updateCheckRun(web, id, draft(first, { annotations, title: 'again' }));
    expect(count()).toBe(120);
  });

  test('SEC-F-16 SEC-D-07 texts over the limit are cut, and what GitHub refuses leaves the verdict standing', async () => {
    const { github, site, web, first } = await openWorld();
    const long = draft(first, { summary: 's'.repeat(70_000), text: 't'.repeat(70_000), title: 'x'.repeat(400) });
    const { id } = await github.postCheckRun(web, long);
    expect(site.checks('acme/web', first)[0]?.summary).toHaveLength(65_535);
    const bad = { path: 'a.ts', startLine: 5, endLine: 2, level: 'failure', message: '' } as const;
    await github.updateCheckRun(
      web,
      id,
      draft(first, { status: 'completed', conclusion: 'failure', annotations: [bad], text: 'secret of the log' }),
    );
    expect(site.checks('acme/web', first)[0]).toMatchObject({ conclusion: 'failure', annotations: [] });
  });

  test('SEC-F-19 a run that GitHub deleted is made anew, once', async () => {
    const { github, site, web, first } = await openWorld();
    const done = draft(first, { status: 'completed', conclusion: 'success' });
    await github.updateCheckRun(web, 999_999, done);
    await github.updateCheckRun(web, 999_999, { ...done, title: 'Later' });
    expect(site.allCheckRuns('acme/web', first)).toMatchObject([{ conclusion: 'success', title: 'Later' }]);
  });
});

describe('comments', () => {
  async function pullRequestIn(world: Awaited<ReturnType<typeof openWorld>>): Promise<number> {
    await world.site.commit('acme/web', { branch: 'topic', author: 'ada', message: 'Work', files: { a: '1' } });
    return world.site.openPullRequest('acme/web', { head: 'topic', author: 'ada', title: 'Work' });
  }

  test('a comment with a known marker is edited, not repeated; a copy of the marker by others is theirs', async () => {
    const world = await openWorld();
    const { github, site, web } = world;
    const number = await pullRequestIn(world);
    await site.comment('acme/web', number, 'ada', 'quoting <!-- penstock:status -->');
    await github.comment(web, number, 'one', 'status');
    await github.comment(web, number, 'two', 'status');
    await github.comment(web, number, 'two', 'status');
    await github.comment(web, number, 'other', 'gate/1');
    const bodies = site.comments('acme/web', number).map((comment) => comment.body);
    expect(bodies).toEqual([
      'quoting <!-- penstock:status -->',
      'two\n\n<!-- penstock:status -->',
      'other\n\n<!-- penstock:gate/1 -->',
    ]);
    expect(site.writes().filter((write) => write.method === 'PATCH')).toHaveLength(1);
  });

  test('SEC-F-12 a lost answer does not make two comments', async () => {
    const world = await openWorld();
    const number = await pullRequestIn(world);
    world.site.faults.loseAnswers({ method: 'POST', path: '/comments' });
    await world.github.comment(world.web, number, 'hello', 'x --> <b>');
    expect(world.site.comments('acme/web', number).map((comment) => comment.body)).toEqual([
      'hello\n\n<!-- penstock:x_--___b_ -->',
    ]);
  });

  test('a comment that is too long for GitHub is cut', async () => {
    const world = await openWorld();
    const number = await pullRequestIn(world);
    await world.github.comment(world.web, number, 'y'.repeat(80_000), 'long');
    expect(world.site.comments('acme/web', number)[0]?.body).toHaveLength(65_536);
  });

  test('reactions: twice is once, a comment that is gone needs none, a review cannot have one', async () => {
    const world = await openWorld();
    const { github, site, web } = world;
    const number = await pullRequestIn(world);
    const id = await site.comment('acme/web', number, 'bob', '/approve');
    const comment = { kind: 'issue-comment', id, nodeId: 'x' } as const;
    await github.react(web, comment, 'eyes');
    await github.react(web, comment, 'eyes');
    expect(site.reactions(id)).toMatchObject([{ content: 'eyes' }]);
    await github.react(web, { ...comment, id: 987_654 }, '+1');
    await github.react(web, { kind: 'review', id: 1, nodeId: 'x' }, '+1');
    const line = await site.reviewComment('acme/web', number, 'bob', { path: 'a', line: 1, body: 'hm' });
    await github.react(web, { kind: 'review-comment', id: line, nodeId: 'x' }, 'confused');
    expect(site.reactions(line)).toMatchObject([{ content: 'confused' }]);
  });

  test('SEC-F-03 what people wrote can be asked for, when no webhook told', async () => {
    const world = await openWorld();
    const { github, site, web } = world;
    const number = await pullRequestIn(world);
    await github.comment(web, number, 'our own words', 'status');
    await site.comment('acme/web', number, 'bob', '/approve');
    await site.review('acme/web', number, 'bob', { state: 'approved', body: 'fine' });
    const texts = await github.humanTextSince(web, number, new Date(0));
    expect(texts).toMatchObject([
      { kind: 'human-text', number, body: '/approve', author: { login: 'bob' }, source: { kind: 'issue-comment' } },
      { body: 'fine', source: { kind: 'review' }, review: { state: 'approved' } },
    ]);
    expect(await github.humanTextSince(web, number, new Date(Date.now() + 60_000))).toEqual([]);
    expect(await github.humanTextSince(web, 999, new Date(0))).toEqual([]);
    expect(await github.commentsSince(web, new Date(0))).toEqual(texts.slice(0, 1));
    expect(await github.commentsSince(web, new Date(Date.now() + 60_000))).toEqual([]);
    expect(await github.reviewsOf(web, number)).toEqual(texts.slice(1));
  });
});

describe('tokens', () => {
  test('SEC-T-01 every token is for one repository with the permissions of one family, and is kept', async () => {
    const { github, site, web, first } = await openWorld();
    const minted: unknown[] = [];
    site.onExchange(({ path, request }) => path.endsWith('/access_tokens') && minted.push(request));
    await github.readFile(web, 'README.md', first);
    await github.branchHead(web, 'main');
    await github.openPullRequests(web);
    await github.permissionOf(web, 'ada');
    await github.postCheckRun(web, draft(first));
    await Promise.all([github.isTeamMember(web, 'acme/x', 'ada'), github.isTeamMember(web, 'acme/y', 'ada')]);
    expect(minted).toEqual([
      { repository_ids: [web.id], permissions: { contents: 'read' } },
      { repository_ids: [web.id], permissions: { pull_requests: 'read', issues: 'read' } },
      { repository_ids: [web.id], permissions: { metadata: 'read' } },
      { repository_ids: [web.id], permissions: { checks: 'write' } },
      { repository_ids: [web.id], permissions: { members: 'read' } },
    ]);
  });

  test('git can fetch with what it is given, from this repository only', async () => {
    const { github, site, web, first } = await openWorld();
    const { url, token } = await github.fetchAccess(web);
    expect(url).toBe(`${site.url}/acme/web.git`);
    const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
    const { stdout } = await run('git', ['-c', `http.extraHeader=Authorization: Basic ${basic}`, 'ls-remote', url]);
    expect(stdout).toContain(first);
    await expect(run('git', ['ls-remote', url], { env: { GIT_TERMINAL_PROMPT: '0' } })).rejects.toThrow();
  });

  test('SEC-E-07 a repository of another installation gives no token, and the person is told what to do', async () => {
    const { github, site, web, first } = await openWorld();
    const other = site.install({ owner: 'other' });
    const call = github.readFile({ ...web, installationId: other }, 'README.md', first);
    await expect(call).rejects.toThrow(UserError);
    await expect(call).rejects.toThrow(/acme\/web with contents: read\. Accept the App's new permissions/);
  });

  test('SEC-F-17 an uninstalled or suspended App is told in words, and is nothing to repeat', async () => {
    const { github, site, web, first } = await openWorld();
    site.suspend(web.installationId);
    await expect(github.readFile(web, 'README.md', first)).rejects.toThrow(/acme\/web is suspended\. Unsuspend it/);
    site.unsuspend(web.installationId);
    expect(await github.readFile(web, 'README.md', first)).toBe('hello\n');
    site.uninstall(web.installationId);
    const gone = await github.readFile(web, 'README.md', first).catch((error: unknown) => error);
    expect(classify(gone)).toBe('user');
    expect(String(gone)).toContain('The App is not installed on acme/web. Install it there again.');
  });

  test('the repositories that the App is installed on, without suspended accounts', async () => {
    const { github, site, web } = await openWorld();
    await site.createRepository({ owner: 'acme', name: 'shop', files: { a: 'b' } });
    await site.createRepository({ owner: 'other', name: 'x', files: { a: 'b' } });
    const other = site.install({ owner: 'other' });
    const names = async () =>
      (await github.installedRepositories()).map(({ owner, name }) => `${owner}/${name}`).toSorted();
    expect(await names()).toEqual(['acme/shop', 'acme/web', 'other/x']);
    site.suspend(other);
    expect(await names()).toEqual(['acme/shop', 'acme/web']);
    expect(await github.installedRepositories()).toContainEqual(web);
  });
});

describe('deliveries', () => {
  test('those that failed can be found and asked for again', async () => {
    const { github, site } = await openWorld();
    const start = new Date(Date.now() - 60_000);
    await site.commit('acme/web', { branch: 'main', author: 'ada', message: 'Work', files: { a: '1' } });
    await site.settled();
    const found = await github.deliveriesSince(start);
    const push = found.find((delivery) => delivery.event === 'push');
    expect(push).toMatchObject({ ok: false, guid: expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
    expect(found.map((delivery) => delivery.id)).toEqual(
      found.map((delivery) => delivery.id).toSorted((a, b) => b - a),
    );
    await github.redeliver(push?.id ?? 0);
    await site.settled();
    const again = (await github.deliveriesSince(start)).filter((delivery) => delivery.guid === push?.guid);
    expect(again).toHaveLength(2);
    expect(await github.deliveriesSince(new Date(Date.now() + 60_000))).toEqual([]);
  });

  test('more than a page of them', async () => {
    const { github, site } = await openWorld();
    await site.createRepository({ owner: 'acme', name: 'busy', files: { a: '1' } });
    await site.commit('acme/busy', { branch: 't', author: 'ada', message: 'x', files: { b: '1' } });
    const pull = await site.openPullRequest('acme/busy', { head: 't', author: 'ada', title: 'x' });
    for (let i = 0; i < 120; i += 1) await site.comment('acme/busy', pull, 'ada', `comment ${i}`);
    await site.settled();
    const found = await github.deliveriesSince(new Date(0));
    expect(found.filter((delivery) => delivery.event === 'issue_comment')).toHaveLength(120);
  });
});

describe('pace and limits', () => {
  const pace = { writesAtOnce: 1, writesPerSecond: 1 };

  test('SEC-F-11 writes of an installation keep the pace that the operator names', async () => {
    const { site, web } = await openWorld();
    await site.commit('acme/web', { branch: 'topic', author: 'ada', message: 'Work', files: { 'a.txt': 'a\n' } });
    const number = await site.openPullRequest('acme/web', { head: 'topic', author: 'ada', title: 'Work' });
    const options = { appId: site.appId, privateKey: site.privateKey, baseUrl: site.url, log: silent };
    const github = createGitHub({ ...options, pace });
    const began = Date.now();
    await Promise.all(['a', 'b', 'c'].map((key) => github.comment(web, number, 'Words.', key)));
    expect(Date.now() - began).toBeGreaterThan(1_500);
  });

  test('SEC-F-11, SEC-F-13 after a limit nothing is sent to that installation until it ends', async () => {
    const { site, web, first } = await openWorld();
    let now = new Date('2026-01-01T00:00:00Z');
    const options = { appId: site.appId, privateKey: site.privateKey, baseUrl: site.url, pace, log: silent };
    const github = createGitHub({ ...options, now: () => now });
    const limit = site.faults.limitRequests({ path: '/contents', retryAfterSeconds: 40 });
    const error = await github.readFile(web, 'README.md', first).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TransientError);
    expect((error as TransientError).retryAfterMs).toBe(40_000);
    now = new Date(now.getTime() + 30_000);
    const waiting = await github.permissionOf(web, 'ada').catch((caught: unknown) => caught);
    expect((waiting as TransientError).retryAfterMs).toBe(10_000);
    expect(limit.struck()).toBe(1);
    now = new Date(now.getTime() + 10_001);
    expect(await github.readFile(web, 'README.md', first)).toBe('hello\n');
  });

  test('a burst of twenty writes is not held up', async () => {
    const { github, site, web, first } = await openWorld();
    const posts = Array.from({ length: 20 }, (_, i) => github.postCheckRun(web, draft(first, { name: `c${i}` })));
    await Promise.all(posts);
    expect(site.checks('acme/web', first)).toHaveLength(20);
  }, 15_000);
});
