import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { describeError, UserError } from '../errors.ts';
import { convertCode, saveCredentials, type AppCredentials } from './app-credentials.ts';
import { githubWebUrl, readAppManifest, setupCallbackPath } from './app-manifest.ts';
import { pageHeaders } from './page-headers.ts';
import { registeredPage, registrationPage, setupProblemPage, showOncePage } from './setup-pages.ts';
import { style } from './style.ts';

export interface SetupDeps {
  /** Where GitHub reaches this server, without a slash at the end. */
  readonly publicUrl: string;
  readonly githubUrl: string;
  readonly home: string;
  /**
   * Stands in the link that is printed at start. Whoever registers the App owns the server from then on, so knowing
   * the address is not enough.
   */
  readonly token: string;
  readonly now: () => Date;
  /** Called once, after the credentials were saved. */
  readonly onRegistered: (envFile: string) => void;
}

const cookie = 'penstock_setup';
const stateLife = 3_600_000;

/** `GET /setup` and its callback: only mounted while no App is configured (SEC-E-13). */
export function setupRoutes(deps: SetupDeps): Hono {
  const routes = new Hono();
  const states = new Map<string, number>();
  routes.get('/setup', async (c) => {
    if (!isSame(c.req.query('token') ?? '', deps.token)) {
      return problem(c, 403, 'Open the link that Penstock printed when it started: it holds a token that is not here.');
    }
    const state = randomBytes(24).toString('hex');
    states.set(state, deps.now().getTime() + stateLife);
    const secure = deps.publicUrl.startsWith('https:');
    setCookie(c, cookie, state, { httpOnly: true, sameSite: 'Lax', path: '/setup', maxAge: stateLife / 1000, secure });
    return registration(deps, c, state);
  });
  routes.get(setupCallbackPath, async (c) => {
    const state = c.req.query('state') ?? '';
    const ends = states.get(state);
    states.delete(state);
    if (ends === undefined || ends < deps.now().getTime() || !isSame(getCookie(c, cookie) ?? '', state)) {
      return problem(c, 403, 'This answer does not belong to a registration begun here. Open the /setup link again.');
    }
    return await finish(deps, c, c.req.query('code') ?? '');
  });
  return routes;
}

async function registration(deps: SetupDeps, c: Context, state: string): Promise<Response> {
  const organization = c.req.query('organization')?.trim() || undefined;
  if (organization !== undefined && !/^[A-Za-z0-9][A-Za-z0-9-]{0,38}$/.test(organization)) {
    return problem(c, 400, 'That is not the name of an organization on GitHub. Go back and correct it.');
  }
  const site = githubWebUrl(deps.githubUrl);
  const account = organization === undefined ? '' : `/organizations/${organization}`;
  const warning = unreachable(deps);
  const page = await registrationPage({
    manifest: readAppManifest(deps.publicUrl),
    target: `${site}${account}/settings/apps/new?state=${state}`,
    setupToken: deps.token,
    ...(organization === undefined ? {} : { organization }),
    ...(warning === undefined ? {} : { warning }),
  });
  return c.body(page, 200, pageHeaders({ styles: [style], scripts: [], formTargets: ["'self'", site] }));
}

function unreachable({ publicUrl, githubUrl }: SetupDeps): string | undefined {
  const local = (url: string): boolean => /^(localhost|127\.|\[::1\]|0\.0\.0\.0)/.test(new URL(url).hostname);
  if (!local(publicUrl) || local(githubUrl)) return undefined;
  return `GitHub cannot deliver webhooks to ${publicUrl}. Set PUBLIC_URL to an address that it can reach, and start again.`;
}

async function finish(deps: SetupDeps, c: Context, code: string): Promise<Response> {
  if (!/^[\w-]{1,200}$/.test(code)) return problem(c, 400, 'GitHub sent no code. Open the /setup link again.');
  let app: AppCredentials;
  try {
    app = await convertCode(deps.githubUrl, code);
  } catch (error) {
    const text = error instanceof UserError ? error.message : `${describeError(error)}. Open the /setup link again.`;
    return problem(c, 502, text);
  }
  try {
    const envFile = await saveCredentials(deps.home, app);
    deps.onRegistered(envFile);
    return c.body(await registeredPage(app, envFile), 200, headers);
  } catch (error) {
    return c.body(await showOncePage(app, describeError(error)), 200, headers);
  }
}

async function problem(c: Context, status: 400 | 403 | 502, what: string): Promise<Response> {
  return c.body(await setupProblemPage(what), status, headers);
}

const headers = pageHeaders({ styles: [style], scripts: [] });

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return b.length > 0 && a.length === b.length && timingSafeEqual(a, b);
}
