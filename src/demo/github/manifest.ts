/** Registering the App from a manifest: the page that takes it, and the code that turns into its credentials. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { notFound } from './api-error.ts';
import { readBody } from './http.ts';
import { appPayload } from './payloads/account.ts';
import { created, type Route } from './route.ts';
import type { Site } from './site.ts';

interface Manifest {
  readonly name?: string;
  readonly redirect_url?: string;
  readonly hook_attributes?: { readonly url?: string };
  readonly default_permissions?: Readonly<Record<string, string>>;
  readonly default_events?: readonly string[];
}

/** Codes that wait for their one use. */
export type Codes = Map<string, Manifest>;

/** A person registers for themselves or for an organization. */
export function isManifestPage(url: string): boolean {
  return /^(\/organizations\/[^/]+)?\/settings\/apps\/new$/.test(new URL(url, 'http://localhost').pathname);
}

/** A person would look at the page and press the button; the stand-in presses it at once. */
export async function answerManifestPage(
  codes: Codes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const form = new URLSearchParams((await readBody(request)).toString());
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page(`${url.pathname}${url.search}`));
    return;
  }
  const manifest = parse(form.get('manifest'));
  if (manifest?.redirect_url === undefined) {
    response.writeHead(422, { 'content-type': 'text/plain' }).end('The manifest must be JSON with a redirect_url.\n');
    return;
  }
  const code = randomBytes(20).toString('hex');
  codes.set(code, manifest);
  const back = new URL(manifest.redirect_url);
  back.searchParams.set('code', code);
  const state = url.searchParams.get('state') ?? form.get('state');
  if (state !== null) back.searchParams.set('state', state);
  response.writeHead(302, { location: back.toString() }).end();
}

function parse(text: string | null): Manifest | null {
  try {
    return text === null ? null : (JSON.parse(text) as Manifest);
  } catch {
    return null;
  }
}

function page(address: string): string {
  const action = address.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  return `<!doctype html><title>Register new GitHub App</title>
<form method="post" action="${action}"><textarea name="manifest"></textarea><button>Create GitHub App</button></form>`;
}

export function manifestRoutes(codes: Codes): readonly Route[] {
  return [
    {
      operation: 'POST /app-manifests/{code}/conversions',
      needs: 'nobody',
      answer({ site, parameters }) {
        const manifest = codes.get(parameters['code'] ?? '');
        if (manifest === undefined) throw notFound();
        codes.delete(parameters['code'] ?? '');
        become(site, manifest);
        return created(credentials(site));
      },
    },
  ];
}

function become({ app }: Site, manifest: Manifest): void {
  app.name = manifest.name ?? app.name;
  app.slug = app.name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  app.permissions = { ...manifest.default_permissions, metadata: 'read' };
  app.events = manifest.default_events ?? app.events;
  app.webhookUrl = manifest.hook_attributes?.url ?? app.webhookUrl;
  app.webhookSecret = randomBytes(20).toString('hex');
}

function credentials(site: Site): Record<string, unknown> {
  const { webhookSecret, privateKey } = site.app;
  const client_secret = randomBytes(20).toString('hex');
  return { ...appPayload(site), client_secret, webhook_secret: webhookSecret, pem: privateKey };
}
