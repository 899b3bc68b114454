import { Probot, ProbotOctokit } from 'probot';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { judgeExchange } from './published.ts';
import { beginStory, web, type Story } from './story.ts';

let story: Story;

beforeAll(async () => {
  story = await beginStory();
});
afterAll(() => story.end());

const [owner = '', repo = ''] = web.split('/');

test('Probot signs in, mints a token for one repository and writes a check run; every exchange fits', async () => {
  const { github } = story;
  const probot = new Probot({
    appId: github.appId,
    privateKey: github.privateKey,
    secret: github.webhookSecret,
    baseUrl: github.url,
    logLevel: 'fatal',
  });
  const app = await probot.auth();
  expect((await app.rest.apps.getAuthenticated()).data?.slug).toBe('penstock');
  const { data: minted } = await app.rest.apps.createInstallationAccessToken({
    installation_id: story.installation,
    repository_ids: [story.repositoryId],
    permissions: { checks: 'write', contents: 'read' },
  });
  const octokit = new ProbotOctokit({ auth: { token: minted.token }, baseUrl: github.url });
  const { data: branch } = await octokit.rest.repos.getBranch({ owner, repo, branch: 'main' });
  const { data: run } = await octokit.rest.checks.create({
    owner,
    repo,
    name: 'web',
    head_sha: branch.commit.sha,
    status: 'in_progress',
    output: { title: 'Running', summary: 'One stage' },
  });
  await octokit.rest.checks.update({ owner, repo, check_run_id: run.id, conclusion: 'success' });
  const runs = await octokit.paginate(octokit.rest.checks.listForRef, { owner, repo, ref: 'main', per_page: 1 });
  expect(runs.map(({ name, conclusion }) => [name, conclusion])).toEqual([['web', 'success']]);
  expect(story.exchanges.flatMap(judgeExchange)).toEqual([]);
  expect(github.writes().map(({ method }) => method)).toEqual(['POST', 'PATCH']);
});

test('what the judge says of a request that GitHub would not take', () => {
  const exchange = story.exchanges.find(({ method, path }) => method === 'POST' && path.endsWith('/check-runs'));
  if (exchange === undefined) throw new Error('no check run was posted');
  const actions = [{ label: 'x'.repeat(21), identifier: 'a', description: 'd' }];
  const query = { per: '1' };
  const problems = judgeExchange({ ...exchange, query, request: { ...(exchange.request as object), actions } });
  expect(problems.join('\n')).toMatch(/unknown query parameter per[^]*actions\/0\/label must NOT have more than 20/);
  expect(judgeExchange({ ...exchange, response: {} }).length).toBeGreaterThan(0);
});
