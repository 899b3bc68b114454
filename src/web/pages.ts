import { Hono } from 'hono';
import { executionRoutes, type ExecutionRoutesDeps } from './execution-routes.ts';
import { healthRoutes, type HealthDeps } from './health-routes.ts';
import { plainHeaders } from './page-headers.ts';
import { setupRoutes, type SetupDeps } from './setup.ts';

export type PagesDeps = HealthDeps & ExecutionRoutesDeps;

/** Everything that is served beside the webhook door. */
export function pages(deps: PagesDeps): Hono {
  return withEndings(new Hono().route('/', healthRoutes(deps)).route('/', executionRoutes(deps)));
}

/** What is served while there is no App: alive, not ready, and the way to register one. */
export function setupPages(deps: SetupDeps): Hono {
  const health = healthRoutes({ isReady: () => Promise.resolve(false) });
  return withEndings(new Hono().route('/', health).route('/', setupRoutes(deps)));
}

function withEndings(app: Hono): Hono {
  app.notFound((c) => c.text('Not found\n', 404, { ...plainHeaders }));
  // The text of an error may hold what a stranger must not see; the log has it.
  app.onError((error, c) => {
    process.emitWarning(error);
    return c.text('Something went wrong here. Try again later.\n', 500, { ...plainHeaders });
  });
  return app;
}
