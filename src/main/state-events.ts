import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { ServerConfig } from '../config/server-types.ts';
import { findActionExecution } from '../db/action-executions.ts';
import type { Database } from '../db/database.ts';
import type { ExecutionRecord } from '../db/executions.ts';
import type { RepositoryRef } from '../github/github.ts';
import { eventEnvelope } from '../pipeline/event-envelope.ts';
import { type StateEvent } from '../pipeline/state-events.ts';
import { aboutExecution, deliver, takes, type Receivers } from './receivers.ts';

export interface EventsOptions {
  readonly db: Kysely<Database>;
  readonly log: Logger;
  readonly now: () => Date;
  readonly api: Pick<ServerConfig['api'], 'account' | 'region'>;
  readonly receivers: Receivers['events'];
}

/** Hands one event to one receiver. Told again after a failure, so a receiver may see it twice (CP 7.1). */
export async function sendEvent(
  options: EventsOptions,
  { sink: name, event }: { readonly sink: string; readonly event: StateEvent },
): Promise<void> {
  const found = options.receivers.get(name);
  const about = await aboutExecution(options.db, event.execution);
  // Taken out of the configuration, or its pipeline is gone.
  if (!found || !about || !takes(found.sink, about.repository)) return;
  const { record, repository } = about;
  const body = JSON.stringify(eventEnvelope(event, await placeOf(options, event, record, repository)));
  const age = options.now().getTime() - Date.parse(event.time);
  const outgoing = { id: event.id, group: event.execution, body };
  await deliver(found.receive, outgoing, `The event ${event.id} for ${name}`, age);
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
