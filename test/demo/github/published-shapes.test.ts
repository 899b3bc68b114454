import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judgeDelivery, judgeExchange, openapi, publishedName, webhooks } from './published.ts';
import { beginStory, web, type Story } from './story.ts';

const repo = `/repos/${web}`;

/** Everything that the stand-in can say, once. */
async function tellAll(story: Story): Promise<void> {
  const { github } = story;
  github.createTeam({ organization: 'acme', slug: 'release', members: ['ada'] });
  const first = await github.commit(web, {
    branch: 'topic',
    author: 'ada',
    message: 'One',
    files: { 'a b.txt': '1\n' },
  });
  const number = await github.openPullRequest(web, { head: 'topic', author: 'ada', title: 'Topic', draft: true });
  const sha = await github.commit(web, {
    branch: 'topic',
    author: { name: 'Nobody', email: 'nobody@example.com' },
    by: 'ada',
    message: 'Two',
    files: { 'b.txt': '2\n', 'README.md': null },
  });
  await tellOfTalk(story, number);
  await tellOfChecks(story, sha);
  await tellOfReading(story, number, first, sha);
  await tellOfPullRequests(story, number);
  await tellOfInstallations(story);
}

async function tellOfTalk({ github, call }: Story, number: number): Promise<void> {
  const theirs = await github.comment(web, number, 'grace', '/approve');
  await github.editComment(theirs, 'grace', '/approve now');
  await call('POST', `${repo}/issues/comments/${theirs}/reactions`, { content: 'eyes' });
  await call('POST', `${repo}/issues/comments/${theirs}/reactions`, { content: 'eyes' });
  await call('GET', `${repo}/issues/comments/${theirs}/reactions`);
  const { body: ours } = await call('POST', `${repo}/issues/${number}/comments`, { body: 'Waiting' });
  await call('GET', `${repo}/issues/comments/${ours.id}`);
  await call('PATCH', `${repo}/issues/comments/${ours.id}`, { body: 'Done' });
  await call('GET', `${repo}/issues/${number}/comments?per_page=1`);
  await call('GET', `${repo}/issues/comments?since=2020-01-01T00:00:00Z`);
  await call('DELETE', `${repo}/issues/comments/${ours.id}`);
  await call('POST', `${repo}/issues/${number}/reactions`, { content: 'rocket' });
  await github.deleteComment(theirs, 'grace');
  const review = await github.review(web, number, 'grace', { state: 'approved', body: 'Good' });
  await github.editReview(review, 'grace', 'Very good');
  await github.dismissReview(review, 'ada');
  const onLine = await github.reviewComment(web, number, 'grace', { path: 'b.txt', line: 1, body: 'Why?' });
  await call('POST', `${repo}/pulls/comments/${onLine}/reactions`, { content: '+1' });
}

const annotation = { path: 'b.txt', start_line: 1, end_line: 1, annotation_level: 'failure', message: 'bad' };

async function tellOfChecks({ github, call }: Story, sha: string): Promise<void> {
  const output = { title: 'Running', summary: 'One stage', text: 'log', annotations: [annotation] };
  const started = { name: 'web', head_sha: sha, status: 'in_progress', external_id: 'e/1', output };
  const { body: run } = await call('POST', `${repo}/check-runs`, started);
  const actions = [{ label: 'Approve', identifier: 'approve', description: 'Lets the release go on' }];
  const ended = { status: 'completed', conclusion: 'action_required', actions, completed_at: '2026-01-01T00:00:00Z' };
  await call('PATCH', `${repo}/check-runs/${run.id}`, ended);
  await call('GET', `${repo}/check-runs/${run.id}`);
  await call('GET', `${repo}/check-runs/${run.id}/annotations`);
  await call('GET', `${repo}/commits/${sha}/check-runs?check_name=web&filter=all`);
  const { body: suites } = await call('GET', `${repo}/commits/${sha}/check-suites`);
  const suite = `${repo}/check-suites/${suites.check_suites[0].id}`;
  await call('GET', suite);
  await call('GET', `${suite}/check-runs`);
  await call('POST', `${repo}/check-suites`, { head_sha: sha });
  await github.clickButton(web, { checkName: 'web', sha, identifier: 'approve', login: 'grace' });
  await github.rerequestCheck(web, { checkName: 'web', sha, login: 'grace' });
  await call('POST', `${repo}/check-runs/${run.id}/rerequest`);
  await call('POST', `${suite}/rerequest`);
}

async function tellOfReading(story: Story, number: number, first: string, sha: string): Promise<void> {
  const { asApp, call, installation } = story;
  const paths = [
    '',
    '/activity',
    '/branches',
    '/branches/topic',
    '/collaborators?permission=push',
    '/collaborators/ada/permission',
  ];
  const ofCommits = [
    '/commits',
    `/commits/${sha}`,
    `/commits/${first}/pulls`,
    '/compare/main...topic',
    '/git/ref/heads/topic',
  ];
  const ofFiles = ['/contents/ci/web.pipeline.json?ref=main', '/contents/ci', '/git/matching-refs/heads/t'];
  const ofPulls = ['', '?state=all', `/${number}`, `/${number}/commits`, `/${number}/files`, `/${number}/reviews`];
  const all = [...paths, ...ofCommits, ...ofFiles, ...ofPulls.map((path) => `/pulls${path}`), `/issues/${number}`];
  for (const path of all) await call('GET', `${repo}${path}`);
  for (const path of ['/installation/repositories', '/users/ada', '/rate_limit']) await call('GET', path);
  await call('GET', '/orgs/acme/teams/release/memberships/ada');
  const ofApp = ['/app', '/app/installations', `/app/installations/${installation}`, '/app/hook/config'];
  for (const path of [...ofApp, '/app/hook/deliveries', `${repo}/installation`]) await asApp('GET', path);
  await asApp('PATCH', '/app/hook/config', { content_type: 'json' });
  await story.github.settled();
  const { body: deliveries } = await asApp('GET', '/app/hook/deliveries');
  await asApp('GET', `/app/hook/deliveries/${deliveries[0].id}`);
  await asApp('POST', `/app/hook/deliveries/${deliveries[0].id}/attempts`);
}

async function tellOfPullRequests({ github }: Story, number: number): Promise<void> {
  await github.markReady(web, number, 'ada');
  await github.convertToDraft(web, number, 'ada');
  await github.markReady(web, number, 'ada');
  await github.editPullRequest(web, number, 'ada', { title: 'Better title' });
  await github.closePullRequest(web, number, 'ada');
  await github.reopenPullRequest(web, number, 'ada');
  const group = await github.enterMergeQueue(web, number, 'grace');
  await github.destroyMergeGroup(web, group.headRef, 'dequeued');
  await github.mergePullRequest(web, number, 'grace');
  const head = github.pullRequest(web, number).mergeSha ?? '';
  await github.pushTags(web, { v1: head }, 'grace');
  await github.deleteTag(web, 'v1', 'grace');
  await github.forkRepository(web, 'stranger');
  const files = { 'c.txt': '3\n' };
  await github.commit('stranger/web', { branch: 'gift', author: 'stranger', message: 'A gift', files });
  await github.openPullRequest(web, { head: 'stranger:gift', author: 'stranger', title: 'A gift' });
}

async function tellOfInstallations({ github, asApp, installation }: Story): Promise<void> {
  await github.createRepository({ owner: 'acme', name: 'shop' });
  await github.renameRepository('acme/shop', 'store', 'ada');
  await github.transferRepository('acme/store', 'ada', 'ada');
  await github.transferRepository('ada/store', 'acme', 'ada');
  await github.createRepository({ owner: 'acme', name: 'old' });
  await github.deleteRepository('acme/old', 'ada');
  github.suspend(installation);
  github.unsuspend(installation);
  github.uninstall(installation);
  const selected = github.install({ owner: 'acme', repositories: [web] });
  github.addToInstallation(selected, 'acme/store');
  github.removeFromInstallation(selected, 'acme/store');
  await asApp('POST', `/app/installations/${selected}/access_tokens`, { permissions: { checks: 'write' } });
  const redirect_url = 'http://127.0.0.1:1/setup/callback';
  const manifest = {
    name: 'Penstock',
    url: 'http://127.0.0.1:1',
    redirect_url,
    hook_attributes: { url: redirect_url },
  };
  const body = new URLSearchParams({ manifest: JSON.stringify(manifest) });
  const page = await fetch(`${github.url}/settings/apps/new?state=s`, { method: 'POST', body, redirect: 'manual' });
  const code = new URL(page.headers.get('location') ?? '').searchParams.get('code');
  await fetch(`${github.url}/app-manifests/${code}/conversions`, { method: 'POST' });
  await github.settled();
}

let story: Story;

beforeAll(async () => {
  story = await beginStory();
  await tellAll(story);
});

afterAll(() => story.end());

describe('what the stand-in says fits what GitHub publishes', () => {
  test.each(Object.keys(openapi.operations))('%s', (operation) => {
    const said = story.exchanges.filter((exchange) => exchange.operation === operation);
    expect(said.map(({ status }) => status).filter((status) => status < 400)).not.toEqual([]);
    expect(said.flatMap(judgeExchange)).toEqual([]);
  });

  test.each(Object.keys(webhooks.events))('webhook %s', (name) => {
    const sent = story.github.deliveries().filter((delivery) => publishedName(delivery) === name);
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.flatMap(judgeDelivery)).toEqual([]);
  });

  test('and nothing beside it: every request had a route, every webhook has a published description', () => {
    expect(story.exchanges.filter(({ operation }) => operation === null)).toEqual([]);
    const names = new Set(story.github.deliveries().map(publishedName));
    expect([...names].filter((name) => !(name in webhooks.events))).toEqual([]);
    expect(story.exchanges.filter(({ status }) => status >= 400)).toEqual([]);
  });
});
