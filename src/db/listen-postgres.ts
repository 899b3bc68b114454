import { Client } from 'pg';
import type { Channel } from './open.ts';

const firstRetryMs = 100;
const lastRetryMs = 5_000;
/** A half-open connection says nothing: ask it now and then, and replace it when it does not answer. */
const probeEveryMs = 15_000;
const probeTimeoutMs = 5_000;

/** LISTEN on its own connection, made again whenever it breaks. After each reconnect `onNotify` runs once. */
export async function listenOnPostgres(url: string, channel: Channel, onNotify: () => void) {
  let stopped = false;
  let client: Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;

  function reconnectLater(): void {
    if (stopped) return;
    clearTimeout(timer);
    const delay = Math.min(lastRetryMs, firstRetryMs * 2 ** failures);
    failures += 1;
    timer = setTimeout(() => void reconnect(), delay * (0.5 + Math.random() / 2));
  }
  async function reconnect(): Promise<void> {
    try {
      await connect();
      onNotify();
    } catch {
      reconnectLater();
    }
  }
  async function connect(): Promise<void> {
    const next = await listeningClient(url, channel, onNotify);
    if (stopped) {
      await next.end();
      return;
    }
    client = next;
    failures = 0;
    next.once('error', () => lose(next));
    next.once('end', () => lose(next));
    probeLater(next);
  }
  function lose(lost: Client): void {
    if (client !== lost) return;
    client = undefined;
    destroy(lost);
    reconnectLater();
  }
  function probeLater(current: Client): void {
    timer = setTimeout(() => {
      current.query('select 1').then(
        () => client === current && probeLater(current),
        () => lose(current),
      );
    }, probeEveryMs);
    timer.unref();
  }

  await connect();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    const last = client;
    client = undefined;
    await last?.end().catch(() => {});
  };
}

async function listeningClient(url: string, channel: Channel, onNotify: () => void): Promise<Client> {
  const client = new Client({
    connectionString: url,
    application_name: 'penstock listen',
    keepAlive: true,
    connectionTimeoutMillis: 4_000,
    query_timeout: probeTimeoutMs,
  });
  client.on('error', () => {});
  client.on('notification', onNotify);
  await client.connect();
  try {
    await client.query(`listen ${channel}`);
  } catch (error) {
    destroy(client);
    throw error;
  }
  return client;
}

function destroy(client: Client): void {
  client.end().catch(() => {});
}
