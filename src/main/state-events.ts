import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { readValue } from '../config/secrets.ts';
import { covers } from '../config/server.ts';
import type { EventSink, ServerConfig } from '../config/server-types.ts';
import { findActionExecution } from '../db/action-executions.ts';
import type { Database } from '../db/database.ts';
import { findExecution, type ExecutionRecord } from '../db/executions.ts';
import { loadRepository } from '../db/repositories.ts';
import { UserError } from '../errors.ts';
import type { RepositoryRef } from '../github/github.ts';
import { eventEnvelope, type StateEvent } from '../pipeline/state-events.ts';
import { httpsReceiver, queueReceiver, type EventReceiver } from './event-receivers.ts';

/** Sinks with what reaches them; the keys that sign are read when the server starts. */
export type EventReceivers = ReadonlyMap<string, { readonly sink: EventSink; readonly receive: EventReceiver }>;

/** Throws UserError when a key is not there. */
export async function openReceivers(
  { events }: Pick<ServerConfig, 'events'>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<EventReceivers> {
  const opened = await Promise.all(
    events.map(async (sink) => [sink.name, { sink, receive: await open(sink, env) }] as const),
  );
  return new Map(opened);
}

async function open({ name, target }: EventSink, env: Readonly<Record<string, string | undefined>>) {
  if (target.kind === 'sqs') return queueReceiver(target);
  const key = await readValue(`events.${name}.https.key`, target.key, env);
  if (!key.ok) throw new UserError(key.problem);
  if (key.value.length < 16) throw new UserError(`events.${name}.https.key: it has to have 16 characters or more.`);
  return httpsReceiver(target, key.value);
}

export interface EventsOptions {
  readonly db: Kysely<Database>;
  readonly log: Logger;
  readonly now: () => Date;
  readonly api: Pick<ServerConfig['api'], 'account' | 'region'>;
  readonly receivers: EventReceivers;
}

/** As long as EventBridge tries by itself. */
const lifetimeMs = 24 * 60 * 60_000;

/** Hands one event to one receiver. Told again after a failure, so a receiver may see it twice (CP 7.1). */
export async function sendEvent(
  options: EventsOptions,
  { sink: name, event }: { readonly sink: string; readonly event: StateEvent },
): Promise<void> {
  const found = options.receivers.get(name);
  const record = await findExecution(options.db, event.execution);
  const repository = record && (await loadRepository(options.db, record.repositoryId));
  // Taken out of the configuration, or its pipeline is gone with everything that could be told of it.
  if (!found || !record || !repository || !takes(found.sink, repository)) return;
  const body = JSON.stringify(eventEnvelope(event, await placeOf(options, event, record, repository)));
  try {
    await found.receive({ id: event.id, group: event.execution, body });
  } catch (error) {
    const age = options.now().getTime() - Date.parse(event.time);
    if (age < lifetimeMs) throw error;
    throw new UserError(`The event ${event.id} could not be handed to ${name} for 24 hours: ${String(error)}`);
  }
}

function takes({ repositories }: EventSink, { owner, name }: RepositoryRef): boolean {
  return repositories === 'all' || repositories.some((pattern) => covers(pattern, owner, name));
}

async function placeOf(
  { db, api: { account, region } }: EventsOptions,
  event: StateEvent,
  record: ExecutionRecord,
  repository: RepositoryRef,
) {
  const place = { account, region, trigger: triggerOf(record, repository) };
  if (event.actionExecution === undefined) return place;
  const input = (await findActionExecution(db, event.actionExecution))?.input;
  return { ...place, artifacts: { input: input?.inputArtifacts ?? [], output: input?.outputArtifacts ?? [] } };
}

/** Of a pipeline with a commit: who and what, as a connection tells it (CP-E-3). */
function triggerOf({ execution, context }: ExecutionRecord, { owner, name }: RepositoryRef): Record<string, string> {
  const started = { 'trigger-type': execution.trigger.type, 'trigger-detail': execution.trigger.detail };
  if (context.headSha === '') return started;
  const [author] = context.authors;
  return {
    ...started,
    'commit-id': context.headSha,
    'full-repository-name': `${owner}/${name}`,
    'provider-type': 'GitHub',
    ...(context.headBranch === undefined ? {} : { 'branch-name': context.headBranch }),
    ...(context.title === undefined ? {} : { 'commit-message': context.title }),
    ...(author ? { 'author-id': String(author.id), 'author-display-name': author.login } : {}),
  };
}
