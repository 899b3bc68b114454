// Sources: docs: registering-a-github-app-from-a-manifest; openapi, apps/create-from-manifest and webhook installation
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beginStory, request, web, type Story } from './story.ts';

let story: Story;

beforeAll(async () => {
  story = await beginStory();
  await story.events();
});
afterAll(() => story.end());

describe('an App is registered from a manifest', () => {
  const manifest = {
    name: 'My Penstock',
    url: 'http://127.0.0.1:1',
    redirect_url: 'http://127.0.0.1:1/setup/callback',
    hook_attributes: { url: 'http://127.0.0.1:1/github' },
    default_permissions: { checks: 'write', contents: 'read' },
    default_events: ['push'],
  };
  const submit = (text: string) =>
    fetch(`${story.github.url}/settings/apps/new?state=abc`, {
      method: 'POST',
      body: new URLSearchParams({ manifest: text }),
      redirect: 'manual',
    });

  test('the page takes it and sends the browser back with a code and the state', async () => {
    const page = await fetch(`${story.github.url}/settings/apps/new?state=abc`);
    expect(await page.text()).toContain('action="/settings/apps/new?state=abc"');
    const answer = await submit(JSON.stringify(manifest));
    const back = new URL(answer.headers.get('location') ?? '');
    expect([answer.status, back.pathname, back.searchParams.get('state')]).toEqual([302, '/setup/callback', 'abc']);
  });

  test('what is no manifest is refused', async () => {
    expect((await submit('{')).status).toBe(422);
    expect((await submit('{}')).status).toBe(422);
  });

  test('the code turns into the credentials once, and the App is what the manifest says', async () => {
    const { github } = story;
    const location = (await submit(JSON.stringify(manifest))).headers.get('location') ?? '';
    const path = `/app-manifests/${new URL(location).searchParams.get('code')}/conversions`;
    const { status, body } = await request(`${github.url}${path}`, 'POST', '');
    expect([status, body.id, body.slug]).toEqual([201, github.appId, 'my-penstock']);
    expect([body.pem, body.webhook_secret]).toEqual([github.privateKey, github.webhookSecret]);
    expect(github.webhookSecret).not.toBe('shared');
    expect((await request(`${github.url}${path}`, 'POST', '')).status).toBe(404);
    const { body: app } = await story.asApp('GET', '/app');
    expect(app).toMatchObject({
      name: 'My Penstock',
      permissions: { checks: 'write', metadata: 'read' },
      events: ['push'],
    });
    expect((await story.asApp('GET', '/app/hook/config')).body.url).toBe('http://127.0.0.1:1/github');
  });
});

describe('an installation', () => {
  test('is told of with its repositories when it comes, and when it goes', async () => {
    await story.github.createRepository({ owner: 'other', name: 'one', files: { a: '1\n' } });
    const id = story.github.install({ owner: 'other', repositories: ['other/one'] });
    await story.github.createRepository({ owner: 'other', name: 'two', files: { a: '1\n' } });
    story.github.addToInstallation(id, 'other/two');
    story.github.removeFromInstallation(id, 'other/two');
    story.github.uninstall(id);
    const events = await story.events();
    expect(events).toEqual([
      'installation.created',
      'installation_repositories.added',
      'installation_repositories.removed',
      'installation.deleted',
    ]);
    const [created, added] = story.github.deliveries().slice(-4);
    expect(created?.payload).toMatchObject({
      installation: { id, account: { login: 'other' }, repository_selection: 'selected' },
      repositories: [{ full_name: 'other/one' }],
    });
    expect(added?.payload).toMatchObject({
      repositories_added: [{ full_name: 'other/two' }],
      repositories_removed: [],
    });
  });

  // docs: suspending-a-github-app-installation
  test('that is suspended hears of its suspension and then of nothing', async () => {
    story.github.suspend(story.installation);
    await story.github.commit(web, { branch: 'main', author: 'ada', message: 'Quiet', files: { q: '1\n' } });
    story.github.unsuspend(story.installation);
    expect(await story.events()).toEqual(['installation.suspend', 'installation.unsuspend']);
  });
});

describe('what an App does not subscribe to', () => {
  // openapi webhooks: Apps that write checks are subscribed to check events automatically
  test('it does not hear, except of checks', async () => {
    await story.github.commit(web, { branch: 'topic', author: 'ada', message: 'One', files: { a: '1\n' } });
    await story.github.openPullRequest(web, { head: 'topic', author: 'ada', title: 'Topic' });
    expect(await story.events()).toEqual(['push', 'check_suite.requested']);
  });
});
