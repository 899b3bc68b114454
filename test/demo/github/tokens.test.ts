// Sources: "openapi" is GitHub's published REST description; "docs" is a file of github/docs.
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beginStory, jwtOf, request, web, type Claims, type Story } from './story.ts';

let story: Story;
let now = new Date('2026-01-01T00:00:00Z');

beforeAll(async () => {
  story = await beginStory({ now: () => now });
  await story.github.createRepository({ owner: 'acme', name: 'shop' });
  await story.github.createRepository({ owner: 'other', name: 'secret' });
});
afterAll(() => story.end());

function get(path: string, bearer: string) {
  return request(`${story.github.url}${path}`, 'GET', bearer);
}

describe("the App's JWT", () => {
  const seconds = Math.floor(Date.now() / 1000);

  // docs: generating-a-json-web-token-jwt-for-a-github-app
  test('opens what belongs to the App', async () => {
    const { status, body } = await get('/app', jwtOf(story.github));
    expect([status, body.id, body.slug]).toEqual([200, story.github.appId, 'penstock']);
  });

  test.each<[string, Claims]>([
    ['has run out', { iat: seconds - 600, exp: seconds - 1 }],
    ['lives longer than ten minutes', { exp: seconds + 3600 }],
    ['was made in the future', { iat: seconds + 300, exp: seconds + 500 }],
    ['names another App', { iss: '999' }],
  ])('is refused with 401 when it %s', async (_, claims) => {
    expect((await get('/app', jwtOf(story.github, claims))).status).toBe(401);
  });

  test('is refused when another key signed it', async () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    expect((await get('/app', jwtOf(story.github, {}, privateKey))).status).toBe(401);
  });

  // openapi: the deliveries and the installations need a JWT, and a repository needs an installation's token
  test('and an installation token do not stand for each other', async () => {
    expect((await get(`/repos/${web}`, jwtOf(story.github))).status).toBe(403);
    expect((await get('/app/hook/deliveries', await story.mint())).status).toBe(401);
    expect((await get(`/repos/${web}`, '')).status).toBe(401);
  });
});

describe('an installation token', () => {
  // openapi, apps/create-installation-access-token
  test('for one repository reaches no other: 404, as if it did not exist', async () => {
    const token = await story.mint({ repository_ids: [story.repositoryId] });
    expect((await get(`/repos/${web}`, token)).status).toBe(200);
    expect((await get('/repos/acme/shop', token)).status).toBe(404);
    const { body } = await get('/installation/repositories', token);
    expect(body.repositories.map((one: { full_name: string }) => one.full_name)).toEqual([web]);
  });

  test('without a wish reaches every repository of its installation, and none of another account', async () => {
    const token = await story.mint();
    expect((await get('/repos/acme/shop', token)).status).toBe(200);
    expect((await get('/repos/other/secret', token)).status).toBe(404);
  });

  // openapi, apps/create-installation-access-token; the header is in docs: troubleshooting-the-rest-api
  test('does only what it was minted for: 403, and the header names what was missing', async () => {
    const token = await story.mint({ repository_ids: [story.repositoryId], permissions: { contents: 'read' } });
    expect((await get(`/repos/${web}/contents/README.md`, token)).status).toBe(200);
    const refused = await request(`${story.github.url}/repos/${web}/check-runs`, 'POST', token, { name: 'web' });
    expect(refused.status).toBe(403);
    expect(refused.body.message).toBe('Resource not accessible by integration');
    expect(refused.headers.get('x-accepted-github-permissions')).toBe('checks=write');
  });

  test('that may read may not write', async () => {
    const token = await story.mint({ permissions: { checks: 'read' } });
    expect((await get(`/repos/${web}/commits/main/check-runs`, token)).status).toBe(200);
    expect((await request(`${story.github.url}/repos/${web}/check-runs`, 'POST', token, {})).status).toBe(403);
  });

  // openapi, apps/create-installation-access-token: 422
  test.each([
    ['more than the App holds', { permissions: { contents: 'write' } }],
    ['a permission that the App does not hold', { permissions: { secrets: 'read' } }],
    ['a repository of another account', { repositories: ['secret'] }],
    ['a repository that does not exist', { repository_ids: [1] }],
  ])('is not minted for %s', async (_, wish) => {
    const { status } = await story.asApp('POST', `/app/installations/${story.installation}/access_tokens`, wish);
    expect(status).toBe(422);
  });

  // docs: generating-an-installation-access-token-for-a-github-app: one hour; openapi: not 40 characters any more
  test('lives for an hour and has no fixed length', async () => {
    const token = await story.mint();
    expect(token.length).toBeGreaterThan(40);
    now = new Date(now.getTime() + 3_599_000);
    expect((await get(`/repos/${web}`, token)).status).toBe(200);
    now = new Date(now.getTime() + 1_000);
    expect((await get(`/repos/${web}`, token)).status).toBe(401);
  });

  // docs: suspending-a-github-app-installation
  test('sleeps while the installation is suspended and dies with it', async () => {
    const installation = story.github.install({ owner: 'other' });
    const path = `/app/installations/${installation}/access_tokens`;
    const { body } = await story.asApp('POST', path, {});
    story.github.suspend(installation);
    expect((await get('/repos/other/secret', body.token)).status).toBe(403);
    expect((await story.asApp('POST', path, {})).status).toBe(403);
    story.github.unsuspend(installation);
    expect((await get('/repos/other/secret', body.token)).status).toBe(200);
    story.github.uninstall(installation);
    expect((await get('/repos/other/secret', body.token)).status).toBe(401);
    expect((await story.asApp('POST', path, {})).status).toBe(404);
  });
});

// docs: rate-limits-for-the-rest-api
test('every answer tells what is left of the hour', async () => {
  const token = await story.mint();
  const first = await get(`/repos/${web}`, token);
  const second = await get(`/repos/${web}`, token);
  const left = (answer: typeof first) => Number(answer.headers.get('x-ratelimit-remaining'));
  expect(first.headers.get('x-ratelimit-limit')).toBe('5000');
  expect(left(second)).toBe(left(first) - 1);
  expect(first.headers.get('x-ratelimit-reset')).toMatch(/^\d{10}$/);
});
