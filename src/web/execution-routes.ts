import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { html } from 'hono/html';
import { Hono, type Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { renderExecutionPage } from './execution-page.ts';
import { followExecution, stateOf, type LiveEvent } from './follow-execution.ts';
import { layout } from './layout.ts';
import { verifyLink } from './links.ts';
import { liveScript } from './live-script.ts';
import { readLogExcerpt, type LogExcerpt } from './log-excerpt.ts';
import type { ExecutionPageData } from './page-data.ts';
import { pageHeaders, plainHeaders } from './page-headers.ts';
import { style } from './style.ts';
import { createTextCleaner } from './visible-text.ts';

export interface ExecutionRoutesDeps {
  readonly loadExecution: (id: string) => Promise<ExecutionPageData | null>;
  /** Path of an attempt's log; the file need not exist. Is called with ids of the execution only. */
  readonly logFile: (execution: string, actionExecution: string) => string;
  /** The file of an artifact, checked against its digest; null when this host has none. */
  readonly artifactFile: (actionExecution: string, name: string) => Promise<string | null>;
  readonly linkKeys: readonly Buffer[];
  readonly now: () => Date;
  /** Aborted when the server stops: open streams end, so that it can. */
  readonly stopping: AbortSignal;
}

const excerptBytes = 128 * 1024;
const mostStreams = 64;
const headers = pageHeaders({ styles: [style], scripts: [liveScript] });

/** Read-only pages below `/executions/<id>`, each opened by the signed link of its execution (SEC-G-04). */
export function executionRoutes(deps: ExecutionRoutesDeps): Hono {
  const routes = new Hono();
  let streams = 0;
  routes.get('/executions/:id', async (c) => {
    const found = await openExecution(deps, c);
    return found instanceof Response ? found : c.body(await pageOf(deps, found, c), 200, headers);
  });
  routes.get('/executions/:id/logs/:action', async (c) => {
    const found = await openExecution(deps, c);
    return found instanceof Response ? found : sendLog(deps, found, c);
  });
  routes.get('/executions/:id/artifacts/:action/:name', async (c) => {
    const found = await openExecution(deps, c);
    return found instanceof Response ? found : sendArtifact(deps, found, c);
  });
  routes.get('/executions/:id/events', async (c) => {
    const found = await openExecution(deps, c);
    if (found instanceof Response) return found;
    if (streams >= mostStreams) return c.text('Too many open pages. Reload to see the newest state.\n', 503);
    streams += 1;
    return streamSSE(c, async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      try {
        const signal = AbortSignal.any([gone.signal, deps.stopping]);
        for await (const event of followExecution(deps, found.id, signal)) await stream.writeSSE(asMessage(event));
      } finally {
        streams -= 1;
      }
    });
  });
  return routes;
}

/** Without a genuine link nobody learns whether an execution exists. */
async function openExecution(deps: ExecutionRoutesDeps, c: Context): Promise<ExecutionPageData | Response> {
  const id = c.req.param('id') ?? '';
  const query = { expires: c.req.query('expires'), signature: c.req.query('signature') };
  const verdict = verifyLink(deps.linkKeys, `/executions/${id}`, query, deps.now());
  if (verdict !== 'valid') return c.body(await noEntryPage(verdict), 403, headers);
  const data = await deps.loadExecution(id);
  return data ?? c.body(await gonePage(id), 404, headers);
}

async function pageOf(deps: ExecutionRoutesDeps, data: ExecutionPageData, c: Context): Promise<string> {
  const logs = new Map<string, LogExcerpt>();
  for (const id of attemptsOf(data)) {
    const excerpt = await readLogExcerpt(deps.logFile(data.id, id), excerptBytes);
    if (excerpt !== undefined) logs.set(id, excerpt);
  }
  const { pathname, search } = new URL(c.req.url);
  return renderExecutionPage({ data, logs, state: stateOf(data), path: pathname, query: search, now: deps.now() });
}

async function sendLog(deps: ExecutionRoutesDeps, data: ExecutionPageData, c: Context): Promise<Response> {
  const id = c.req.param('action') ?? '';
  const textHeaders = { ...plainHeaders, 'content-type': 'text/plain; charset=utf-8' };
  if (!attemptsOf(data).includes(id)) return c.body('This execution has no such action.\n', 404, textHeaders);
  const file = deps.logFile(data.id, id);
  const isThere = await stat(file).catch(() => undefined);
  if (isThere === undefined) return c.body(noLogText, 404, textHeaders);
  const text = Readable.from(cleaned(createReadStream(file)));
  return c.body(Readable.toWeb(text) as ReadableStream, 200, textHeaders);
}

/** Always as a download: what a build put into an archive is never shown as a page of ours. */
async function sendArtifact(deps: ExecutionRoutesDeps, data: ExecutionPageData, c: Context): Promise<Response> {
  const [id, name] = [c.req.param('action') ?? '', c.req.param('name') ?? ''];
  const action = data.stages.flatMap((stage) => stage.actions).find((one) => one.id === id);
  const artifact = action?.artifacts.find((one) => one.name === name);
  const file = artifact === undefined ? null : await deps.artifactFile(id, name);
  if (artifact === undefined || file === null) {
    const gone = 'This host has no such artifact. It lies elsewhere, or is past the retention time.\n';
    return c.body(gone, 404, { ...plainHeaders, 'content-type': 'text/plain; charset=utf-8' });
  }
  return c.body(Readable.toWeb(createReadStream(file)) as ReadableStream, 200, {
    ...plainHeaders,
    'content-type': 'application/zip',
    'content-length': String(artifact.size),
    'content-disposition': `attachment; filename="${name.replaceAll(/[^A-Za-z0-9_-]/g, '_')}.zip"`,
  });
}

async function* cleaned(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const cleaner = createTextCleaner();
  for await (const chunk of bytes) yield Buffer.from(cleaner.push(chunk));
  yield Buffer.from(cleaner.flush());
}

function attemptsOf(data: ExecutionPageData): readonly string[] {
  const actions = data.stages.flatMap((stage) => stage.actions);
  return actions.flatMap((action) => [
    ...(action.id === undefined ? [] : [action.id]),
    ...action.earlier.map(({ id }) => id),
  ]);
}

function asMessage(event: LiveEvent): { event: string; data: string } {
  switch (event.kind) {
    case 'log':
      return { event: 'log', data: JSON.stringify({ id: event.id, text: event.text, start: event.start }) };
    case 'state':
      return { event: 'state', data: event.state };
    case 'end':
      return { event: 'end', data: '' };
    default:
      return event satisfies never;
  }
}

const noLogText =
  'This host has no log of the action. It printed nothing, ran elsewhere, or its log is past the retention time.\n';

function noEntryPage(verdict: 'expired' | 'wrong'): Promise<string> {
  const why = verdict === 'expired' ? 'This link has ended' : 'This link opens nothing';
  return layout({
    title: why,
    main: html`<h1>${why}</h1>
      <p>Pages of executions open by signed links, which end after two to three weeks.</p>
      <p>
        The newest check runs on GitHub hold working links. For an older execution, whoever runs this server gets a
        fresh one with <code>penstock link &lt;execution&gt;</code>, or reads everything with
        <code>penstock logs</code>.
      </p>`,
  });
}

function gonePage(id: string): Promise<string> {
  return layout({
    title: 'No such execution',
    main: html`<h1>No such execution</h1>
      <p>Execution <code>${id}</code> is not here. It may be past the retention time.</p>`,
  });
}
