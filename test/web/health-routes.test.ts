import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { afterEach, describe, expect, test } from 'vitest';
import { healthRoutes, type HealthDeps } from '../../src/web/health-routes.ts';
import { createMetrics } from '../../src/web/metrics.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Over a real socket, because who is asking is what it is about. */
async function start(deps: Partial<HealthDeps> = {}) {
  const server = createAdaptorServer({ fetch: healthRoutes({ isReady: () => Promise.resolve(true), ...deps }).fetch });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => new Promise((resolve) => void server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  return async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close', ...headers } });
    return { status: answer.status, text: await answer.text() };
  };
}

const readings = {
  jobs: { waiting: 3, running: 1, dead: 0, lagMs: 1500 },
  executions: { live: 2, waitingForApproval: 1 },
};

describe('SEC-E-13: what a stranger learns', () => {
  test.each([
    ['/', 200, 'up\n'],
    ['/healthz', 200, 'up\n'],
    ['/readyz', 200, 'ready\n'],
  ])('%s answers %i %j', async (path, status, text) => {
    expect(await (await start())(path)).toEqual({ status, text });
  });

  test.each(['/probot', '/ping', '/status', '/health', '/setup', '/metrics', '/stats'])(
    '%s is not there',
    async (path) => {
      expect((await (await start())(path)).status).toBe(404);
    },
  );

  test('not ready while the database is away, but alive', async () => {
    const get = await start({ isReady: () => Promise.reject(new Error('ECONNREFUSED')) });
    expect(await get('/readyz')).toEqual({ status: 503, text: 'not ready\n' });
    expect((await get('/healthz')).status).toBe(200);
  });
});

describe('metrics of AWS', () => {
  const aws = {
    budgets: [{ account: '111122223333', tokens: 17.5, pausedMs: 4_000 }],
    unobservedSeconds: 42,
    deadEvents: 1,
    queues: [{ queue: 'https://sqs.test/1/events', waiting: 6, deadLetters: 2 }],
  };

  test('show calls by operation and outcome, throttles, tokens, the age of the oldest look, and queues', async () => {
    const metrics = createMetrics(() => Promise.resolve({ ...readings, aws }));
    metrics.aws.call('111122223333', 'GetPipelineState', 'ok');
    metrics.aws.call('111122223333', 'GetPipelineState', 'throttled');
    metrics.aws.event('queue', 'looking');
    const { text } = await (await start({ metrics }))('/metrics');
    const lines = text.split('\n').filter((line) => line.startsWith('penstock_aws'));
    expect(lines).toEqual([
      'penstock_aws_budget_tokens{account="111122223333"} 17.5',
      'penstock_aws_budget_paused_seconds{account="111122223333"} 4',
      'penstock_aws_oldest_unobserved_seconds 42',
      'penstock_aws_dead_events 1',
      'penstock_aws_queue_messages{queue="https://sqs.test/1/events"} 6',
      'penstock_aws_queue_dead_letters{queue="https://sqs.test/1/events"} 2',
      'penstock_aws_calls_total{account="111122223333",operation="GetPipelineState",outcome="ok"} 1',
      'penstock_aws_calls_total{account="111122223333",operation="GetPipelineState",outcome="throttled"} 1',
      'penstock_aws_throttles_total{account="111122223333"} 1',
      'penstock_aws_events_total{source="queue",outcome="looking"} 1',
    ]);
  });
});

describe('metrics', () => {
  const metrics = createMetrics(() => Promise.resolve(readings));

  test('are read from this machine', async () => {
    const { status, text } = await (await start({ metrics }))('/metrics');
    expect(status).toBe(200);
    expect(text).toMatch(/^penstock_jobs_waiting 3$/m);
    expect(text).toMatch(/^penstock_jobs_lag_seconds 1\.5$/m);
    expect(text).toMatch(/^penstock_database_up 1$/m);
    expect(text).toMatch(/^process_cpu_seconds_total /m);
  });

  test('are not there for a request that a proxy passed on', async () => {
    const get = await start({ metrics });
    expect((await get('/metrics', { 'x-forwarded-for': '203.0.113.9' })).status).toBe(404);
  });

  test('with a token are read by whoever has it, and by nobody else', async () => {
    const get = await start({ metrics, metricsToken: 'a-token' });
    expect((await get('/metrics')).status).toBe(404);
    expect((await get('/metrics', { authorization: 'Bearer another' })).status).toBe(404);
    expect((await get('/metrics', { authorization: 'Bearer a-token', 'x-forwarded-for': '203.0.113.9' })).status).toBe(
      200,
    );
  });

  test('say that the database is away instead of showing old figures', async () => {
    const away = createMetrics(() => Promise.reject(new Error('ECONNREFUSED')));
    const { text } = await (await start({ metrics: away }))('/metrics');
    expect(text).toMatch(/^penstock_database_up 0$/m);
    expect(text).toMatch(/^penstock_jobs_waiting Nan$/m);
  });
});
