import { chmod, mkdir, rm } from 'node:fs/promises';
import { createConnection, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import type { ExecutionPageData } from './page-data.ts';

/**
 * The door for `penstock status`, `penstock logs` and others while a process runs: HTTP on a unix socket that only the same
 * user can open. The embedded database belongs to one process, so the commands ask that process.
 */
export interface ControlDeps {
  readonly loadExecution: (id: string) => Promise<ExecutionPageData | null>;
  /** Newest first. */
  readonly recentExecutions: (limit: number) => Promise<readonly ExecutionPageData[]>;
  /** A fresh link to the page of an execution. */
  readonly linkTo: (id: string) => string;
  readonly startedAt: Date;
  /** Rows of the audit; null when the repository is not known. */
  readonly audit?: (wanted: AuditQuery) => Promise<readonly unknown[] | null>;
  /** Of each repository whether its rows of the audit are as they were written. */
  readonly auditChains?: () => Promise<readonly unknown[]>;
  /** Jobs that were given up, newest first. */
  readonly deadJobs?: () => Promise<readonly unknown[]>;
  /** Lets such a job run again; false when there is none of that id. */
  readonly reviveJob?: (id: number) => Promise<boolean>;
}

export interface AuditQuery {
  readonly execution?: string;
  readonly repository?: string;
  readonly pullRequest?: number;
  readonly limit: number;
}

export interface ControlStatus {
  readonly pid: number;
  readonly startedAt: string;
  readonly executions: readonly ExecutionPageData[];
}

export function controlSocket(home: string): string {
  return join(home, 'control.sock');
}

function controlRoutes(deps: ControlDeps): Hono {
  const routes = new Hono();
  routes.get('/status', async (c) => {
    const executions = await deps.recentExecutions(20);
    const status: ControlStatus = { pid: process.pid, startedAt: deps.startedAt.toISOString(), executions };
    return c.json(status);
  });
  routes.get('/executions/:id', async (c) => {
    const data = await deps.loadExecution(c.req.param('id'));
    return data === null ? c.json({ problem: 'no such execution' }, 404) : c.json(data);
  });
  routes.get('/executions/:id/link', async (c) => {
    const data = await deps.loadExecution(c.req.param('id'));
    return data === null ? c.json({ problem: 'no such execution' }, 404) : c.json({ link: deps.linkTo(data.id) });
  });
  routes.get('/audit', async (c) => {
    const { execution, repository, pullRequest, limit } = c.req.query();
    const rows = await deps.audit?.({
      limit: Number(limit ?? 200),
      ...(execution === undefined ? {} : { execution }),
      ...(repository === undefined ? {} : { repository }),
      ...(pullRequest === undefined ? {} : { pullRequest: Number(pullRequest) }),
    });
    return rows ? c.json(rows) : c.json({ problem: 'no such repository' }, 404);
  });
  routes.get('/audit/chains', async (c) => c.json((await deps.auditChains?.()) ?? []));
  routes.get('/jobs/dead', async (c) => c.json((await deps.deadJobs?.()) ?? []));
  routes.post('/jobs/:id/revive', async (c) => {
    const revived = await deps.reviveJob?.(Number(c.req.param('id')));
    return revived ? c.json({ revived }) : c.json({ problem: 'no such dead job' }, 404);
  });
  return routes;
}

/** Answers how to stop; undefined when another process of this home already answers there. */
export async function serveControl(home: string, deps: ControlDeps): Promise<(() => Promise<void>) | undefined> {
  const path = controlSocket(home);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  if (await answers(path)) return undefined;
  await rm(path, { force: true });
  const server = createAdaptorServer({ fetch: controlRoutes(deps).fetch }) as Server;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  await chmod(path, 0o600);
  return async () => {
    if ('closeAllConnections' in server) (server as Server & { closeAllConnections(): void }).closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.end());
  });
}
