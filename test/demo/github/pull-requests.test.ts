// Sources: "openapi" is GitHub's published description; "docs" is a file of github/docs.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beginStory, web, type Story } from './story.ts';

const repo = `/repos/${web}`;
let story: Story;
let topics = 0;

beforeAll(async () => {
  story = await beginStory();
});
afterAll(() => story.end());

/** A pull request of its own, with one commit. */
async function open(more: { draft?: boolean } = {}) {
  const branch = `topic-${(topics += 1)}`;
  const files = { [`${branch}.txt`]: '1\n' };
  const sha = await story.github.commit(web, { branch, author: 'ada', message: 'One', files });
  const number = await story.github.openPullRequest(web, {
    head: branch,
    author: 'ada',
    title: `Add ${branch}`,
    ...more,
  });
  return { branch, sha, number };
}

async function lastPayload() {
  await story.github.settled();
  return story.github.deliveries().at(-1)?.payload ?? {};
}

async function pullsOf(sha: string): Promise<number[]> {
  const { body } = await story.call('GET', `${repo}/commits/${sha}/pulls`);
  return body.map((pull: { number: number }) => pull.number);
}

describe('a pull request', () => {
  // openapi, webhook pull-request
  test('is told of as opened, then synchronized with the head before and after', async () => {
    await story.events();
    const { branch, sha, number } = await open();
    expect(await story.events()).toEqual(['push', 'check_suite.requested', 'pull_request.opened']);
    const files = { 'more.txt': '2\n' };
    const after = await story.github.commit(web, { branch, author: 'grace', message: 'Two', files });
    expect(await story.events()).toEqual(['push', 'check_suite.requested', 'pull_request.synchronize']);
    expect(await lastPayload()).toMatchObject({
      number,
      before: sha,
      after,
      pull_request: { head: { sha: after, ref: branch }, base: { ref: 'main' }, commits: 2, changed_files: 2 },
      sender: { login: 'grace' },
    });
  });

  test('is closed, opened again, and made ready', async () => {
    const { number } = await open({ draft: true });
    await story.events();
    await story.github.closePullRequest(web, number, 'ada');
    await story.github.reopenPullRequest(web, number, 'ada');
    await story.github.markReady(web, number, 'ada');
    const events = ['pull_request.closed', 'pull_request.reopened', 'pull_request.ready_for_review'];
    expect(await story.events()).toEqual(events);
    expect(await lastPayload()).toMatchObject({ pull_request: { draft: false, state: 'open' } });
  });

  test('is closed when its branch goes', async () => {
    const { branch, number } = await open();
    await story.events();
    await story.github.deleteBranch(web, branch, 'ada');
    expect(await story.events()).toEqual(['push', 'pull_request.closed']);
    expect(story.github.pullRequest(web, number)).toMatchObject({ state: 'closed', mergeSha: null });
  });

  // openapi, webhook pull-request-edited: what it was before stands in changes
  test('tells what it was before when its base changes', async () => {
    const { number } = await open();
    await story.github.commit(web, { branch: 'next', author: 'ada', message: 'Next', files: { next: '1\n' } });
    await story.github.editPullRequest(web, number, 'ada', { base: 'next' });
    expect(await lastPayload()).toMatchObject({
      action: 'edited',
      changes: { base: { ref: { from: 'main' } } },
      pull_request: { base: { ref: 'next' } },
    });
  });

  // openapi, pulls/list
  test('is listed by state, head and base', async () => {
    const { branch, number } = await open();
    const numbers = async (query: string) =>
      (await story.call('GET', `${repo}/pulls?${query}`)).body.map((pull: { number: number }) => pull.number);
    expect(await numbers(`head=acme:${branch}`)).toEqual([number]);
    expect(await numbers(`head=ada:${branch}`)).toEqual([]);
    expect(await numbers('state=all&sort=created&direction=asc&per_page=1')).toEqual([1]);
    await story.github.closePullRequest(web, number, 'ada');
    expect(await numbers('state=open')).not.toContain(number);
    expect(await numbers('state=closed')).toContain(number);
  });

  // openapi, pulls/get
  test('says whether it can be merged when it is asked for, not in events', async () => {
    const { number, branch } = await open();
    expect(await lastPayload()).toMatchObject({ pull_request: { mergeable: null } });
    expect((await story.call('GET', `${repo}/pulls/${number}`)).body).toMatchObject({ mergeable: true });
    const files = { [`${branch}.txt`]: 'other\n' };
    await story.github.commit(web, { branch: 'main', author: 'ada', message: 'Clash', files });
    expect((await story.call('GET', `${repo}/pulls/${number}`)).body).toMatchObject({ mergeable: false });
    await expect(story.github.mergePullRequest(web, number, 'grace')).rejects.toThrow('conflicts');
  });
});

describe('a merge', () => {
  test('makes a real merge commit, pushes the base and closes the pull request', async () => {
    const { number, sha } = await open();
    await story.events();
    const merge = await story.github.mergePullRequest(web, number, 'grace');
    expect(await story.events()).toEqual(['push', 'check_suite.requested', 'pull_request.closed']);
    expect(await lastPayload()).toMatchObject({
      pull_request: { merged: true, merge_commit_sha: merge, merged_by: { login: 'grace' } },
    });
    const { body } = await story.call('GET', `${repo}/commits/${merge}`);
    expect(body.parents.at(1)).toMatchObject({ sha });
    expect([body.author.login, body.committer.login]).toEqual(['grace', 'web-flow']);
  });

  test('by squash makes one commit with one parent, by the author', async () => {
    const { number } = await open();
    const sha = await story.github.mergePullRequest(web, number, 'grace', 'squash');
    const { body } = await story.call('GET', `${repo}/commits/${sha}`);
    expect([body.parents.length, body.author.login]).toEqual([1, 'ada']);
    expect(body.files).toHaveLength(1);
  });

  test('by rebase makes each commit anew on the base, by its author and committed by whoever merged', async () => {
    const { number, sha, branch } = await open();
    const second = { branch, author: 'grace', message: 'More', files: { [`${branch}-2.txt`]: 'more\n' } };
    const head = await story.github.commit(web, second);
    await story.github.commit(web, {
      branch: 'main',
      author: 'ada',
      message: 'Meanwhile',
      files: { 'main.txt': 'x\n' },
    });
    const last = await story.github.mergePullRequest(web, number, 'ada', 'rebase');
    const { body } = await story.call('GET', `${repo}/commits/${last}`);
    expect(body).toMatchObject({ author: { login: 'grace' }, committer: { login: 'ada' }, parents: [{}] });
    const before = (await story.call('GET', `${repo}/commits/${body.parents[0]?.sha}`)).body;
    expect([before.author.login, before.committer.login]).toEqual(['ada', 'ada']);
    expect([last, before.sha]).not.toEqual([head, sha]);
    expect(await pullsOf(last)).toEqual([number]);
    const { body: pull } = await story.call('GET', `${repo}/pulls/${number}`);
    expect(pull).toMatchObject({ merged: true, merge_commit_sha: last });
  });

  // openapi, repos/list-pull-requests-associated-with-commit
  test('is found by its commit and by the commits that it brought', async () => {
    const { number, sha } = await open();
    expect(await pullsOf(sha)).toEqual([number]);
    const merge = await story.github.mergePullRequest(web, number, 'grace');
    expect(await pullsOf(merge)).toEqual([number]);
    expect(await pullsOf(sha)).toEqual([number]);
  });

  // Pipelines-as-Code asks three times, because GitHub lags behind
  test('is found only later when GitHub lags', async () => {
    const { number } = await open();
    const fault = story.github.faults.lagPullRequestsOfMerges(2);
    const merge = await story.github.mergePullRequest(web, number, 'grace');
    expect([await pullsOf(merge), await pullsOf(merge), await pullsOf(merge)]).toEqual([[], [], [number]]);
    expect(fault.struck()).toBe(2);
    fault.cancel();
  });

  // docs: troubleshooting-required-status-checks: success, skipped and neutral pass, on the latest commit
  test.each(['success', 'skipped', 'neutral', 'failure', 'action_required', 'cancelled'])(
    'with a required check that concluded %s',
    async (conclusion) => {
      const { number, sha } = await open();
      story.github.requireChecks(web, 'main', ['web']);
      const state = async () => (await story.call('GET', `${repo}/pulls/${number}`)).body.mergeable_state;
      await expect(story.github.mergePullRequest(web, number, 'grace')).rejects.toThrow('required checks: web');
      await story.call('POST', `${repo}/check-runs`, { name: 'web', head_sha: sha, conclusion });
      const passes = ['success', 'skipped', 'neutral'].includes(conclusion);
      expect(await state()).toBe(passes ? 'clean' : 'blocked');
      const merged = story.github.mergePullRequest(web, number, 'grace').then(
        () => true,
        () => false,
      );
      expect(await merged).toBe(passes);
      story.github.requireChecks(web, 'main', []);
    },
  );

  // docs: about-pull-request-merges, "indirect merges"
  test('happens also by a push that brings the head to the base', async () => {
    const { number, sha } = await open();
    await story.github.push(web, { branch: 'main', by: 'grace', commits: [], from: sha });
    expect(story.github.pullRequest(web, number)).toMatchObject({ state: 'closed', mergeSha: sha });
  });

  test('of a draft is not offered', async () => {
    const { number } = await open({ draft: true });
    await expect(story.github.mergePullRequest(web, number, 'grace')).rejects.toThrow('draft');
  });
});

describe('a pull request from a fork', () => {
  test('names the head repository, and its pushes are told of at the base as synchronize alone', async () => {
    const { github } = story;
    const fork = await github.forkRepository(web, 'stranger');
    const gift = { branch: 'gift', author: 'stranger', message: 'Gift' };
    await github.commit('stranger/web', { ...gift, files: { gift: '1\n' } });
    const number = await github.openPullRequest(web, { head: 'stranger:gift', author: 'stranger', title: 'Gift' });
    expect(await lastPayload()).toMatchObject({
      pull_request: { head: { label: 'stranger:gift', repo: { id: fork.id, fork: true } }, author_association: 'NONE' },
    });
    await story.events();
    const sha = await github.commit('stranger/web', { ...gift, files: { gift: '2\n' } });
    expect(await story.events()).toEqual(['pull_request.synchronize']);
    const { body } = await story.call('GET', `${repo}/pulls/${number}/files`);
    expect(body).toMatchObject([{ filename: 'gift', status: 'added' }]);
    expect((await story.call('GET', `${repo}/contents/gift?ref=${sha}`)).status).toBe(200);
  });
});

describe('the merge queue', () => {
  // openapi, webhook merge-group; docs: managing-a-merge-queue
  test('makes a group on a branch of its own: pushed, and checks asked for, without naming the pull request', async () => {
    const { number, sha } = await open();
    await story.events();
    const group = await story.github.enterMergeQueue(web, number, 'grace');
    expect(await story.events()).toEqual([
      'pull_request.enqueued',
      'push',
      'check_suite.requested',
      'merge_group.checks_requested',
    ]);
    expect(group.headRef).toMatch(/^refs\/heads\/gh-readonly-queue\/main\/pr-\d+-[0-9a-f]{40}$/);
    const { merge_group: told } = (await lastPayload()) as { merge_group: object };
    expect(told).toMatchObject({ head_sha: group.headSha, base_ref: 'refs/heads/main', base_sha: group.baseSha });
    expect(Object.keys(told).sort()).toEqual(['base_ref', 'base_sha', 'head_commit', 'head_ref', 'head_sha']);
    const { body } = await story.call('GET', `${repo}/commits/${group.headSha}`);
    expect(body.parents.map((parent: { sha: string }) => parent.sha)).toEqual([group.baseSha, sha]);
  });

  test('ends a group as merged: the base moves to its commit', async () => {
    const { number } = await open();
    const group = await story.github.enterMergeQueue(web, number, 'grace');
    await story.events();
    await story.github.destroyMergeGroup(web, group.headRef, 'merged');
    const events = await story.events();
    expect(events).toEqual(['push', 'check_suite.requested', 'pull_request.closed', 'merge_group.destroyed', 'push']);
    expect(story.github.pullRequest(web, number).mergeSha).toBe(group.headSha);
  });

  test('ends a group as dequeued: the pull request stays open', async () => {
    const { number } = await open();
    const group = await story.github.enterMergeQueue(web, number, 'grace');
    await story.events();
    await story.github.destroyMergeGroup(web, group.headRef, 'dequeued');
    expect(await story.events()).toEqual(['merge_group.destroyed', 'pull_request.dequeued', 'push']);
    expect(story.github.pullRequest(web, number).state).toBe('open');
  });
});
