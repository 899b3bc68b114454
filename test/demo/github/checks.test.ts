// Sources: "openapi" is GitHub's published REST description; "docs" is a file of github/docs.
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { beginStory, web, type Story } from './story.ts';

const repo = `/repos/${web}`;
let story: Story;
let sha: string;
let commits = 0;

beforeAll(async () => {
  story = await beginStory();
});
afterAll(() => story.end());

/** A commit without runs. */
async function freshCommit(): Promise<void> {
  const files = { 'count.txt': `${(commits += 1)}\n` };
  sha = await story.github.commit(web, { branch: 'topic', author: 'ada', message: 'More', files });
  await story.events();
}

function post(body: Record<string, unknown>) {
  return story.call('POST', `${repo}/check-runs`, { name: 'web', head_sha: sha, ...body });
}

function patch(id: number, body: Record<string, unknown>) {
  return story.call('PATCH', `${repo}/check-runs/${id}`, body);
}

const approve = { label: 'Approve', identifier: 'approve', description: 'Lets the release go on' };

describe('a check run', () => {
  beforeEach(freshCommit);

  // docs: using-the-rest-api-to-interact-with-checks
  test('begins queued in a suite of its commit, and the suite takes its conclusion from its runs', async () => {
    const { status, body } = await post({});
    expect([status, body.status, body.conclusion]).toEqual([201, 'queued', null]);
    expect(story.github.suite(web, sha)).toEqual({ status: 'queued', conclusion: null });
    await patch(body.id, { status: 'in_progress' });
    expect(story.github.suite(web, sha)).toEqual({ status: 'in_progress', conclusion: null });
    await patch(body.id, { conclusion: 'failure' });
    expect(story.github.suite(web, sha)).toEqual({ status: 'completed', conclusion: 'failure' });
  });

  // openapi, checks/update: a conclusion sets the status
  test('is completed by its conclusion alone', async () => {
    const { body } = await post({ conclusion: 'success' });
    expect([body.status, body.conclusion]).toEqual(['completed', 'success']);
    expect(body.completed_at).toMatch(/^\d{4}-/);
  });

  // Reported by GitHub support and several projects, for example mergify#1989 and pipelines-as-code#2305
  test('is never reopened: an update to in_progress leaves it completed', async () => {
    const { body: run } = await post({ conclusion: 'action_required' });
    const { status, body } = await patch(run.id, { status: 'in_progress', output: { title: 'On', summary: 'Again' } });
    expect([status, body.status, body.conclusion]).toEqual([200, 'completed', 'action_required']);
    expect(body.output.title).toBe('On');
  });

  // docs: using-the-rest-api-to-interact-with-checks
  test('of the same name goes beside the older one, and lists show the newest unless asked for all', async () => {
    const { body: first } = await post({ conclusion: 'action_required' });
    const { body: second } = await post({ status: 'in_progress' });
    const newest = await story.call('GET', `${repo}/commits/${sha}/check-runs?check_name=web`);
    expect(newest.body.check_runs.map((run: { id: number }) => run.id)).toEqual([second.id]);
    const all = await story.call('GET', `${repo}/commits/${sha}/check-runs?filter=all`);
    expect(all.body.check_runs.map((run: { id: number }) => run.id)).toEqual([second.id, first.id]);
    expect(story.github.checks(web, sha).map(({ id }) => id)).toEqual([second.id]);
    expect(story.github.allCheckRuns(web, sha).map(({ id }) => id)).toEqual([second.id, first.id]);
  });

  // openapi, checks/create: a missing details_url leads to the App's homepage
  test('without a details_url points to the App', async () => {
    expect((await post({})).body.details_url).toBe(story.github.url);
  });

  // openapi, checks/update: annotations are appended
  test('collects annotations over its updates', async () => {
    const note = { path: 'a', start_line: 1, end_line: 1, annotation_level: 'notice', message: 'm' };
    const output = { title: 't', summary: 's', annotations: [note] };
    const { body } = await post({ output });
    await patch(body.id, { output: { summary: 's', annotations: [{ ...note, path: 'b' }] } });
    const { body: listed } = await story.call('GET', `${repo}/check-runs/${body.id}/annotations`);
    expect(listed.map((one: { path: string }) => one.path)).toEqual(['a', 'b']);
  });

  // openapi, checks/create: 1,000 runs of one name in a suite, then the oldest go
  test('of the same name pushes out the oldest after a thousand', async () => {
    story.github.faults.dropWebhooks({ times: Infinity });
    onTestFinished(() => story.github.faults.clear());
    const { body: first } = await post({});
    for (let posted = 0; posted < 1000; posted += 25) {
      await Promise.all(Array.from({ length: 25 }, () => post({})));
    }
    const left = story.github.allCheckRuns(web, sha);
    expect(left.length).toBe(1000);
    expect(left.map(({ id }) => id)).not.toContain(first.id);
  });
});

describe('a check run that GitHub does not take', () => {
  beforeAll(freshCommit);

  // openapi, checks/create: limits; docs: only GitHub sets stale, and waiting, requested and pending are for Actions
  const long = 'x'.repeat(65_536);
  const annotation = { path: 'a', start_line: 1, end_line: 1, annotation_level: 'notice', message: 'm' };
  test.each([
    ['a label of 21 characters', { actions: [{ ...approve, label: 'x'.repeat(21) }] }],
    ['an identifier of 21 characters', { actions: [{ ...approve, identifier: 'x'.repeat(21) }] }],
    ['a description of 41 characters', { actions: [{ ...approve, description: 'x'.repeat(41) }] }],
    ['a fourth action', { actions: [approve, approve, approve, approve] }],
    ['a summary of 65,536 characters', { output: { title: 't', summary: long } }],
    ['a text of 65,536 characters', { output: { title: 't', summary: 's', text: long } }],
    [
      '51 annotations',
      { output: { title: 't', summary: 's', annotations: Array.from({ length: 51 }, () => annotation) } },
    ],
    ['an output without a title', { output: { summary: 's' } }],
    ['completed without a conclusion', { status: 'completed' }],
    ['the conclusion stale', { conclusion: 'stale' }],
    ['the status waiting', { status: 'waiting' }],
    ['no name', { name: undefined }],
    ['a commit that does not exist', { head_sha: 'f'.repeat(40) }],
    ['a shortened commit', { head_sha: 'abc1234' }],
    ['a details_url that is no web address', { details_url: 'javascript:alert(1)' }],
  ])('is refused with 422 for %s', async (_, body) => {
    const answer = await post(body);
    expect(answer.status).toBe(422);
    expect(story.github.allCheckRuns(web, sha)).toEqual([]);
  });
});

describe('events of checks', () => {
  beforeEach(freshCommit);

  // openapi webhooks: check-suite requested, check-run created and completed
  test('a push asks for a suite; a run is told of as created and completed, and then the suite', async () => {
    await story.github.commit(web, { branch: 'topic', author: 'ada', message: 'x', files: { x: String(commits) } });
    expect(await story.events()).toEqual(['push', 'check_suite.requested']);
    const { body } = await post({});
    await patch(body.id, { conclusion: 'success' });
    expect(await story.events()).toEqual(['check_run.created', 'check_run.completed', 'check_suite.completed']);
  });

  // openapi, checks/rerequest-run: the suite is queued again, the run itself stays
  test('a re-request tells the App, queues the suite and leaves the run as it was', async () => {
    await post({ conclusion: 'failure' });
    await story.events();
    await story.github.rerequestCheck(web, { checkName: 'web', sha, login: 'grace' });
    expect(await story.events()).toEqual(['check_run.rerequested']);
    expect(story.github.suite(web, sha)).toEqual({ status: 'queued', conclusion: null });
    expect(story.github.checks(web, sha)[0]).toMatchObject({ status: 'completed', conclusion: 'failure' });
    await story.github.rerequestSuite(web, { sha, login: 'grace' });
    expect(await story.events()).toEqual(['check_suite.rerequested']);
  });

  // docs: using-the-rest-api-to-interact-with-checks, "Check runs and requested actions"
  test('a button is told of with its identifier, the run and the person', async () => {
    const { body } = await post({ conclusion: 'action_required', external_id: 'e/1', actions: [approve] });
    await story.events();
    await story.github.clickButton(web, { checkName: 'web', sha, identifier: 'approve', login: 'grace' });
    await story.github.settled();
    expect(story.listener.received.at(-1)?.payload).toMatchObject({
      action: 'requested_action',
      requested_action: { identifier: 'approve' },
      check_run: { id: body.id, external_id: 'e/1', head_sha: sha },
      sender: { login: 'grace' },
      installation: { id: story.installation },
    });
  });

  // openapi, webhook check-run: pushes to forks give an empty pull_requests and a null head_branch
  test('the head of a fork belongs to no pull request and no branch', async () => {
    const { github } = story;
    await github.forkRepository(web, 'stranger');
    const files = { 'gift.txt': '!\n' };
    const head = await github.commit('stranger/web', { branch: 'gift', author: 'stranger', message: 'Gift', files });
    await github.openPullRequest(web, { head: 'stranger:gift', author: 'stranger', title: 'Gift' });
    await story.events();
    const { status, body } = await story.call('POST', `${repo}/check-runs`, { name: 'web', head_sha: head });
    expect([status, body.pull_requests]).toEqual([201, []]);
    await story.events();
    expect(story.listener.received.at(-1)?.payload).toMatchObject({
      check_run: { check_suite: { head_branch: null } },
    });
  });
});

describe('buttons as people see them', () => {
  beforeEach(freshCommit);

  const click = (login = 'grace') =>
    story.github.clickButton(web, { checkName: 'web', sha, identifier: 'approve', login });

  // openapi, checks/create: actions are displayed after the run completes
  test('are not there before the run is completed', async () => {
    const { body } = await post({ status: 'in_progress', actions: [approve] });
    expect(story.github.checks(web, sha)[0]?.buttons).toEqual([]);
    await expect(click()).rejects.toThrow('in_progress and shows no button');
    await patch(body.id, { conclusion: 'action_required' });
    expect(story.github.checks(web, sha)[0]?.buttons).toEqual([approve]);
    await click();
  });

  // Seen on GitHub's pages: the newest run of a name hides the older ones
  test('go with the run when a newer one of its name is posted', async () => {
    await post({ conclusion: 'action_required', actions: [approve] });
    await post({ status: 'in_progress' });
    await expect(click()).rejects.toThrow('shows no button');
  });

  // web-platform-tests/wpt.fyi#829
  test('are not shown to people without write access', async () => {
    await post({ conclusion: 'action_required', actions: [approve] });
    story.github.setPermission(web, 'reader', 'read');
    await expect(click('reader')).rejects.toThrow('reader has read access');
  });
});
