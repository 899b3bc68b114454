import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startStandIn, type StandIn } from '../../src/demo/github/stand-in.ts';
import { subscribedEvents } from '../../src/github/webhook-event.ts';
import { githubWebUrl, readAppManifest, webhookPath } from '../../src/web/app-manifest.ts';
import { setupPages } from '../../src/web/pages.ts';

const publicUrl = 'https://penstock.example.org';
const token = 'the-token-that-was-printed';
let directory: string;
let github: StandIn;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'penstock-setup-'));
  github = await startStandIn({ webhookSecret: 'x'.repeat(40), directory: join(directory, 'git') });
});
afterEach(async () => {
  await github.stop();
  rmSync(directory, { recursive: true });
});

function setup(home = join(directory, 'home')) {
  const registered: string[] = [];
  let now = new Date('2026-11-23T04:00:00Z');
  const app = setupPages({
    publicUrl,
    githubUrl: github.url,
    home,
    token,
    now: () => now,
    onRegistered: (file) => registered.push(file),
  });
  const get = async (path: string, cookie = ''): Promise<Response> => app.request(path, { headers: { cookie } });
  return { get, registered, home, later: (ms: number) => void (now = new Date(now.getTime() + ms)) };
}

type Setup = ReturnType<typeof setup>;

/** Presses the button on our page, as a browser would: GitHub answers with the way back. */
async function register(world: Setup): Promise<{ callback: string; cookie: string }> {
  const page = await world.get(`/setup?token=${token}`);
  const text = await page.text();
  const action = /action="([^"]+)"/.exec(text)?.[1] ?? '';
  const manifest = decode(/name="manifest" value="([^"]+)"/.exec(text)?.[1] ?? '');
  const answer = await fetch(action, { method: 'POST', body: new URLSearchParams({ manifest }), redirect: 'manual' });
  const back = new URL(answer.headers.get('location') ?? '');
  expect(back.origin).toBe(publicUrl);
  return { callback: back.pathname + back.search, cookie: (page.headers.get('set-cookie') ?? '').split(';')[0] ?? '' };
}

function decode(html: string): string {
  return html.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&');
}

describe('registering the App', () => {
  test('from the printed link to saved credentials; webhooks go to the webhook path', async () => {
    const world = setup();
    const { callback, cookie } = await register(world);
    const answer = await world.get(callback, cookie);
    const text = await answer.text();
    expect([answer.status, text]).toEqual([200, expect.stringContaining('is registered')]);
    const file = join(world.home, 'app.env');
    expect(world.registered).toEqual([file]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(world.home, 'app.pem')).mode & 0o777).toBe(0o600);
    const saved = readFileSync(file, 'utf8');
    expect(saved).toContain(`APP_ID=${github.appId}\n`);
    expect(saved).toContain(`WEBHOOK_SECRET=${github.webhookSecret}\n`);
    expect(readFileSync(join(world.home, 'app.pem'), 'utf8')).toBe(github.privateKey);
    expect(text).not.toContain('PRIVATE KEY');
    expect(text).not.toContain(github.webhookSecret);
  });

  test('on a disk that cannot be written shows the values, this once', async () => {
    const home = join(directory, 'a-file');
    writeFileSync(home, 'in the way');
    const world = setup(home);
    const { callback, cookie } = await register(world);
    const text = await (await world.get(callback, cookie)).text();
    expect(text).toContain(`WEBHOOK_SECRET=${github.webhookSecret}`);
    expect(text).toContain('-----BEGIN');
    expect(world.registered).toEqual([]);
    expect((await world.get(callback, cookie)).status).toBe(403);
  });

  test('for an organization goes to its page', async () => {
    const text = await (await setup().get(`/setup?token=${token}&organization=acme-inc`)).text();
    expect(text).toContain(`action="${github.url}/organizations/acme-inc/settings/apps/new?state=`);
    const wrong = await setup().get(`/setup?token=${token}&organization=${encodeURIComponent('a/../b')}`);
    expect(wrong.status).toBe(400);
  });
});

describe('nobody else registers it', () => {
  test('the address alone does not open the page', async () => {
    for (const path of ['/setup', '/setup?token=', '/setup?token=wrong']) {
      expect((await setup().get(path)).status).toBe(403);
    }
  });

  test.each([
    ['without the cookie of the browser that began', (callback: string) => [callback, '']],
    ['with the cookie of another browser', (callback: string) => [callback, `penstock_setup=${'0'.repeat(48)}`]],
    [
      'with a state of its own',
      (callback: string, cookie: string) => [callback.replace(/state=\w+/, 'state=00'), cookie],
    ],
  ])('an answer %s is refused', async (_how, change) => {
    const world = setup();
    const { callback, cookie } = await register(world);
    const [path = '', sent = ''] = change(callback, cookie);
    expect((await world.get(path, sent)).status).toBe(403);
    expect(existsSync(join(world.home, 'app.env'))).toBe(false);
  });

  test('an answer counts once, and for an hour', async () => {
    const world = setup();
    const first = await register(world);
    expect((await world.get(first.callback, first.cookie)).status).toBe(200);
    expect((await world.get(first.callback, first.cookie)).status).toBe(403);
    const late = setup(join(directory, 'late'));
    const second = await register(late);
    late.later(3_600_001);
    expect((await late.get(second.callback, second.cookie)).status).toBe(403);
  });

  test('a code that GitHub does not know saves nothing and says what to do', async () => {
    const world = setup();
    const { callback, cookie } = await register(world);
    const answer = await world.get(callback.replace(/code=\w+/, 'code=unknown'), cookie);
    expect([answer.status, await answer.text()]).toEqual([502, expect.stringContaining('Open /setup again')]);
    expect(existsSync(world.home)).toBe(false);
  });

  test('an App that was registered before is not overwritten', async () => {
    const world = setup();
    const first = await register(world);
    await world.get(first.callback, first.cookie);
    const before = readFileSync(join(world.home, 'app.env'), 'utf8');
    const second = await register(world);
    expect(await (await world.get(second.callback, second.cookie)).text()).toContain('could not be saved');
    expect(readFileSync(join(world.home, 'app.env'), 'utf8')).toBe(before);
  });
});

describe('app.yml (SEC-T-03)', () => {
  const manifest = readAppManifest(publicUrl);

  test('asks for the permissions that are documented, and for none to change code or settings', () => {
    expect(manifest.default_permissions).toEqual({
      checks: 'write',
      contents: 'read',
      deployments: 'write',
      issues: 'write',
      members: 'read',
      merge_queues: 'read',
      metadata: 'read',
      pull_requests: 'write',
    });
  });

  test('subscribes to every event that is handled; GitHub sends those of the installation unasked', () => {
    const unasked = ['installation', 'installation_repositories'];
    expect(manifest.default_events.toSorted()).toEqual(
      subscribedEvents.filter((name) => !unasked.includes(name)).toSorted(),
    );
  });

  test('is not public, and names the webhook path and the way back', () => {
    expect(manifest.public).toBe(false);
    expect(manifest.hook_attributes).toEqual({ url: `${publicUrl}${webhookPath}`, active: true });
    expect(manifest.redirect_url).toBe(`${publicUrl}/setup/callback`);
  });
});

test.each([
  ['https://api.github.com', 'https://github.com'],
  ['https://ghes.example.org/api/v3', 'https://ghes.example.org'],
  ['https://api.octo.ghe.com', 'https://octo.ghe.com'],
  ['http://127.0.0.1:4000', 'http://127.0.0.1:4000'],
])('the website of %s is %s', (api, web) => {
  expect(githubWebUrl(api)).toBe(web);
});
