import type { Kysely } from 'kysely';
import { readValue } from '../config/secrets.ts';
import { covers } from '../config/server.ts';
import type { EventSink, NoticeSink, ServerConfig } from '../config/server-types.ts';
import type { Database } from '../db/database.ts';
import { findExecution, type ExecutionRecord } from '../db/executions.ts';
import { loadRepository } from '../db/repositories.ts';
import { UserError } from '../errors.ts';
import type { RepositoryRef } from '../github/github.ts';
import { httpsReceiver, queueReceiver, type EventReceiver, type OutgoingEvent } from './event-receivers.ts';

/** Sinks by name, with what reaches them. */
export type OpenSinks<S extends EventSink> = ReadonlyMap<string, { readonly sink: S; readonly receive: EventReceiver }>;

/** Of `events:` and `notices:` in penstock.server.yml; the keys that sign are read when the server starts. */
export interface Receivers {
  readonly events: OpenSinks<EventSink>;
  readonly notices: OpenSinks<NoticeSink>;
}

export const noReceivers: Receivers = { events: new Map(), notices: new Map() };

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws UserError when a key is not there. */
export async function openReceivers(
  { events, notices }: Pick<ServerConfig, 'events' | 'notices'>,
  env: Environment,
): Promise<Receivers> {
  return { events: await openAll('events', events, env), notices: await openAll('notices', notices, env) };
}

async function openAll<S extends EventSink>(part: string, sinks: readonly S[], env: Environment) {
  const opened = sinks.map(async (sink) => [sink.name, { sink, receive: await open(part, sink, env) }] as const);
  return new Map(await Promise.all(opened));
}

async function open(part: string, { name, target }: EventSink, env: Environment): Promise<EventReceiver> {
  if (target.kind === 'sqs') return queueReceiver(target);
  const label = `${part}.${name}.https.key`;
  const key = await readValue(label, target.key, env);
  if (!key.ok) throw new UserError(key.problem);
  if (key.value.length < 16) throw new UserError(`${label}: it has to have 16 characters or more.`);
  return httpsReceiver(target, key.value);
}

/** What an execution's messages are about. Undefined: its pipeline is gone with everything that could be told of it. */
export async function aboutExecution(
  db: Kysely<Database>,
  execution: string,
): Promise<{ readonly record: ExecutionRecord; readonly repository: RepositoryRef } | undefined> {
  const record = await findExecution(db, execution);
  const repository = record && (await loadRepository(db, record.repositoryId));
  return record && repository ? { record, repository } : undefined;
}

export function takes({ repositories }: EventSink, { owner, name }: RepositoryRef): boolean {
  return repositories === 'all' || repositories.some((pattern) => covers(pattern, owner, name));
}

/** As long as EventBridge tries by itself. */
const lifetimeMs = 24 * 60 * 60_000;

/** Throws what the receiver threw, or UserError once the message is `ageMs` too old to be tried again. */
export async function deliver(receive: EventReceiver, message: OutgoingEvent, told: string, ageMs: number) {
  try {
    await receive(message);
  } catch (error) {
    if (ageMs < lifetimeMs) throw error;
    throw new UserError(`${told} could not be handed over for 24 hours: ${String(error)}`);
  }
}
