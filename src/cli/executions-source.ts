import { loadPage, recentPages } from '../main/page-source.ts';
import { githubWebUrl } from '../web/app-manifest.ts';
import type { ControlStatus } from '../web/control.ts';
import type { ExecutionPageData } from '../web/page-data.ts';
import { homeOf, settingsWithoutApp } from './app-environment.ts';
import type { CliIo } from './command.ts';
import { askControl } from './control-client.ts';
import { openToLook } from './look.ts';

/** Executions as a command sees them: from the running process, else from the database itself. */
export interface ExecutionsSource {
  /** Of the process that runs; absent when none does. */
  readonly process?: Pick<ControlStatus, 'pid' | 'startedAt'>;
  readonly home: string;
  load(id: string): Promise<ExecutionPageData | null>;
  recent(limit: number): Promise<readonly ExecutionPageData[]>;
  close(): Promise<void>;
}

export async function openExecutions(io: CliIo): Promise<ExecutionsSource> {
  const home = homeOf(io.env);
  const answer = await askControl(home, '/status');
  return answer.kind === 'answered' ? fromProcess(home, answer.body as ControlStatus) : await fromDatabase(home, io);
}

function fromProcess(home: string, status: ControlStatus): ExecutionsSource {
  return {
    process: { pid: status.pid, startedAt: status.startedAt },
    home,
    load: async (id) => {
      const answer = await askControl(home, `/executions/${encodeURIComponent(id)}`);
      return answer.kind === 'answered' ? (answer.body as ExecutionPageData) : null;
    },
    recent: (limit) => Promise.resolve(status.executions.slice(0, limit)),
    close: () => Promise.resolve(),
  };
}

async function fromDatabase(home: string, io: CliIo): Promise<ExecutionsSource> {
  const settings = settingsWithoutApp(io.env);
  const database = await openToLook(io);
  const source = database && { db: database.db, githubWebUrl: githubWebUrl(settings.githubUrl) };
  return {
    home,
    load: async (id) => (source ? loadPage(source, id) : null),
    recent: async (limit) => (source ? recentPages(source, limit) : []),
    close: async () => database?.close(),
  };
}

/** By its whole id, or by the beginning of one of the recent ones. */
export async function findExecution(source: ExecutionsSource, wanted: string): Promise<ExecutionPageData | null> {
  const exact = await source.load(wanted);
  if (exact !== null) return exact;
  if (wanted.length < 4) return null;
  const matching = (await source.recent(20)).filter(({ id }) => id.startsWith(wanted));
  return matching.length === 1 ? (matching[0] ?? null) : null;
}
