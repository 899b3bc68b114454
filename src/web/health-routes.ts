import { timingSafeEqual } from 'node:crypto';
import { Hono, type Context } from 'hono';
import type { Metrics } from './metrics.ts';
import { plainHeaders } from './page-headers.ts';

export interface HealthDeps {
  /** True when work can be taken: the database answers. */
  readonly isReady: () => Promise<boolean>;
  readonly metrics?: Metrics;
  /** Without one, only this machine may read the metrics. */
  readonly metricsToken?: string;
}

/** What a stranger may learn: that it is up, and whether it is ready. No version, no names (SEC-E-13). */
export function healthRoutes(deps: HealthDeps): Hono {
  const routes = new Hono();
  routes.get('/', (c) => c.text('up\n', 200, { ...plainHeaders }));
  routes.get('/healthz', (c) => c.text('up\n', 200, { ...plainHeaders }));
  routes.get('/readyz', async (c) => {
    const isReady = await deps.isReady().catch(() => false);
    return isReady ? c.text('ready\n', 200, { ...plainHeaders }) : c.text('not ready\n', 503, { ...plainHeaders });
  });
  const { metrics } = deps;
  if (metrics !== undefined) {
    routes.get('/metrics', async (c) => {
      if (!mayReadMetrics(c, deps.metricsToken)) return c.notFound();
      return c.body(await metrics.text(), 200, { ...plainHeaders, 'content-type': metrics.contentType });
    });
  }
  return routes;
}

/** Behind a proxy on this machine every caller looks local, so a request that was passed on needs the token. */
function mayReadMetrics(c: Context, token: string | undefined): boolean {
  if (token !== undefined) return isSame(c.req.header('authorization') ?? '', `Bearer ${token}`);
  const passedOn = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some(
    (name) => c.req.header(name) !== undefined,
  );
  return !passedOn && /^(::ffff:)?127\.|^::1$/.test(peerOf(c));
}

function peerOf(c: Context): string {
  const env = c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined;
  return env?.incoming?.socket?.remoteAddress ?? '';
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
