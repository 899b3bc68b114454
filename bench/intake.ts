// Deliveries per second through the real door. Prints one line of JSON. BENCH_COUNT and DATABASE_URL are read.
import { serve } from '@hono/node-server';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { createIntake, webhookPath } from '../src/intake.ts';
import { benchDatabase, percentile } from './database.ts';

const count = Number(process.env['BENCH_COUNT'] ?? 2_000);
const connections = 20;
const secret = 'f3a91c0d5b7e42689d1f00aa7c55e2b48e6d';
const body = JSON.stringify({ action: 'synchronize', filler: 'x'.repeat(20_000) });
const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

const open = await benchDatabase();
const log = pino({ level: 'silent' });
const intake = createIntake({ db: open.db, secrets: [secret], log, now: () => new Date() });
const server = serve({ fetch: intake.fetch, port: 0, hostname: '127.0.0.1' });
await once(server, 'listening');
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}${webhookPath}`;

async function deliver(): Promise<number> {
  const started = performance.now();
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'pull_request',
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': signature,
  };
  const response = await fetch(address, { method: 'POST', body, headers });
  await response.text();
  if (response.status !== 202) throw new Error(`the door answered ${response.status}`);
  return performance.now() - started;
}

async function sender(samples: number[], share: number): Promise<void> {
  for (let n = 0; n < share; n += 1) samples.push(await deliver());
}

await sender([], 100);
const samples: number[] = [];
const started = performance.now();
await Promise.all(Array.from({ length: connections }, () => sender(samples, Math.ceil(count / connections))));
const seconds = (performance.now() - started) / 1000;
console.log(
  JSON.stringify({
    bench: 'intake',
    engine: open.engine,
    connections,
    bodyBytes: body.length,
    deliveries: samples.length,
    perSecond: Math.round(samples.length / seconds),
    p50Ms: percentile(samples, 0.5),
    p95Ms: percentile(samples, 0.95),
    p99Ms: percentile(samples, 0.99),
  }),
);
server.close();
if ('closeAllConnections' in server) server.closeAllConnections();
await open.close();
