import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { detectIsolation } from '../buildspec/isolation.ts';
import { commandLimits } from '../buildspec/limits.ts';
import type { Secret } from '../config/secrets.ts';
import type { ServerConfig } from '../config/server-types.ts';
import { migrate } from '../db/migrate.ts';
import { openDatabase, type OpenDatabase } from '../db/open.ts';
import { registerEventSinks } from '../db/event-outbox.ts';
import { endLeasesOfHost } from '../db/orphaned-jobs.ts';
import { createEmbeddedEngine } from '../engine/embedded/embedded-engine.ts';
import { passDeadline, pollAction, runEffect, type EffectRunner } from '../engine/embedded/run-effect.ts';
import { pollRule } from '../engine/embedded/run-rule.ts';
import type { CallPipeline } from '../providers/code-pipeline.ts';
import { ownBuckets } from '../providers/bucket-names.ts';
import { recoverHome } from '../providers/housekeeping.ts';
import { runWorker, type JobHandlers } from '../worker.ts';
import { startApiDoor } from './api-door.ts';
import { callPipelines } from './call-pipeline.ts';
import { effectRunner, openEgress } from './effects.ts';
import { grantedTypes } from './granted-calls.ts';
import { openHost } from './host.ts';
import { noticeNotifier, sendNotice } from './notices.ts';
import { noReceivers, type Receivers } from './receivers.ts';
import { sendEvent } from './state-events.ts';

/** The CodePipeline API with an engine behind it and no GitHub: `penstock api`. */
export interface ApiServerOptions {
  readonly home: string;
  readonly server: ServerConfig;
  readonly secrets: readonly Secret[];
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly anonymous: boolean;
  /** Of `events:` and `notices:` in penstock.server.yml. */
  readonly receivers?: Receivers;
  readonly concurrency: number;
  /** Where node, npm, git and the sandbox tools are looked for: a PATH. */
  readonly path: string;
  readonly log: Logger;
}

export interface ApiServer {
  readonly url: string;
  readonly database: OpenDatabase;
  stop(deadlineMs?: number): Promise<void>;
}

export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { home, log } = options;
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const host = await openHost(home);
    undo.push(() => host.release());
    const database = await openDatabase({ kind: 'embedded', directory: join(home, 'database') });
    undo.push(() => database.close());
    await migrate(database.db);
    await endLeasesOfHost(database.db, host.id);
    const { events: receivers, notices } = options.receivers ?? noReceivers;
    await registerEventSinks(database.db, [...receivers.keys()]);
    await recoverHome(home, new Date());
    const now = (): Date => new Date();
    const engine = createEmbeddedEngine({
      db: database.db,
      host: host.id,
      now,
      alsoRuns: grantedTypes(options.server),
      region: options.server.api.region,
    });
    const callPipeline = callPipelines(() => ({ ...options.server.api, db: database.db, engine, now }));
    const { runner, closeEgress } = await openRunner(options, database, callPipeline);
    undo.push(closeEgress);
    const told = { db: database.db, log, now, notices };
    const notifying = { ...runner, notifier: noticeNotifier(told) };
    const worker = runWorker({
      db: database.db,
      listen: (channel, onNotify) => database.listen(channel, onNotify),
      handlers: {
        ...engineHandlers(notifying, (execution) => engine.refresh(execution)),
        event: (payload) => sendEvent({ ...eventsOf(options, database, runner.now), receivers }, payload),
        notice: (payload) => sendNotice(told, payload),
      },
      worker: `${host.id}/${process.pid}/${randomUUID()}`,
      host: host.id,
      concurrency: options.concurrency,
      log,
    });
    undo.push(() => worker.drain(10_000));
    const api = { ...options.server.api, host: options.host, port: options.port };
    const { anonymous } = options;
    const door = await startApiDoor({ home, db: database.db, engine, now: runner.now, log, api, anonymous });
    undo.push(() => door.stop());
    return { url: door.url, database, stop };
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
}

function eventsOf({ server, log }: ApiServerOptions, { db }: OpenDatabase, now: () => Date) {
  return { db, log, now, api: server.api };
}

async function openRunner(
  { home, server, secrets, path, log }: ApiServerOptions,
  database: OpenDatabase,
  callPipeline: CallPipeline,
): Promise<{ runner: EffectRunner; closeEgress: () => Promise<void> }> {
  const { isolation: wanted, limits } = server.embedded;
  const scratch = join(home, 'sandbox');
  const isolation = await detectIsolation({ wanted, scratch, path, limits: commandLimits(limits), hidden: [home] });
  const egress = await openEgress(server, isolation, log);
  const now = (): Date => new Date();
  const calls = { bucketOf: ownBuckets, callPipeline };
  const runner = effectRunner({ home, server, secrets, database, isolation, now, log, egress, ...calls });
  return { runner, closeEgress: async () => egress?.close() };
}

/** Jobs of the engine; without GitHub nobody is told anything. */
export function engineHandlers(
  runner: EffectRunner,
  refresh: (execution: string) => Promise<void>,
): Partial<JobHandlers> {
  return {
    effect: ({ effect }) => runEffect(runner, effect),
    poll: ({ execution, action }) => pollAction(runner, execution, action),
    'poll-rule': ({ execution, rule }) => pollRule(runner, execution, rule),
    deadline: ({ execution, action }) => passDeadline(runner, execution, action),
    report: () => Promise.resolve(),
    refresh: ({ execution }) => refresh(execution),
  };
}
