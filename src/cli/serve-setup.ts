import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import { setupPages } from '../web/pages.ts';
import { unconfiguredMessage } from '../web/unconfigured.ts';
import { settingsWithoutApp } from './app-environment.ts';
import type { CliIo } from './command.ts';

/** Serves /setup until the App is registered, or until a signal. */
export async function serveSetup(io: CliIo): Promise<'registered' | 'interrupted'> {
  const settings = settingsWithoutApp(io.env);
  const token = randomBytes(16).toString('hex');
  const registered = new AbortController();
  const address = { url: settings.publicUrl ?? '' };
  const site = setupPages({
    get publicUrl() {
      return address.url;
    },
    githubUrl: settings.githubUrl,
    home: settings.home,
    token,
    now: () => new Date(),
    onRegistered: () => registered.abort(),
  });
  const server = createAdaptorServer({ fetch: site.fetch }) as Server;
  server.listen(settings.port, settings.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const here = `http://${settings.host === '0.0.0.0' ? 'localhost' : settings.host}:${port}`;
  address.url ||= here;
  io.out(unconfiguredMessage(`${address.url}/setup?token=${token}`));
  await aborted(AbortSignal.any([registered.signal, io.interrupted]));
  // Lets the last page reach the browser before its connection is closed.
  if (registered.signal.aborted) await sleep(300);
  await closeServer(server);
  if (!registered.signal.aborted) return 'interrupted';
  io.out('The App is registered. Penstock starts now.');
  return 'registered';
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  if ('closeAllConnections' in server) (server as Server & { closeAllConnections(): void }).closeAllConnections();
  await closed;
}
