import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { enqueueObservation, quietTimes, recordEvent, type Watched } from '../db/aws-executions.ts';
import { setAsideEvent } from '../db/aws-dead-events.ts';
import type { Database } from '../db/database.ts';
import { findRepository } from '../db/repositories.ts';
import { parseJson, readEvent, type AwsEvent } from '../engine/aws/events.ts';
import type { QueueMessage } from '../engine/aws/event-queue.ts';
import type { AwsMeter, EventSource } from '../engine/aws/meter.ts';
import { lookAfterEventMs } from '../engine/aws/pace.ts';
import type { AwsTargets } from './aws-targets.ts';

export interface EventDeps extends Pick<AwsTargets, 'boundTo'> {
  readonly db: Kysely<Database>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly meter: AwsMeter;
  readonly serves: (owner: string, name: string) => boolean;
}

/** What became of an event, in words. Committed when this resolves. */
export interface Taken {
  readonly outcome: 'looking' | 'ignored' | 'unreadable';
  readonly why: string;
}

/**
 * Takes what somebody sent as an event. It only says where to look: the pipeline is looked at soon, and whatever else the
 * event tells is not believed, so that a forged, late or repeated one does no harm (SEC-E-18, CP-E-9).
 */
export async function takeEvent(deps: EventDeps, body: unknown): Promise<Taken> {
  const read = readEvent(body);
  if (read.kind === 'other') return { outcome: 'ignored', why: read.why };
  if (read.kind === 'unreadable') return { outcome: 'unreadable', why: read.why };
  const watched = await watchedBy(deps, read.event);
  if (typeof watched === 'string') return { outcome: 'ignored', why: watched };
  for (const pipeline of watched) {
    await recordEvent(deps.db, pipeline);
    const { lookMs } = await quietTimes(deps.db, pipeline);
    await enqueueObservation(deps.db, pipeline, lookAfterEventMs(lookMs));
  }
  return { outcome: 'looking', why: 'looking' };
}

/** The pipelines of repositories that the event is about, or why there are none. */
async function watchedBy(deps: EventDeps, event: AwsEvent): Promise<readonly Watched[] | string> {
  const { account, region, pipelineName } = event;
  const bindings = deps.boundTo(account, region, pipelineName);
  if (bindings.length === 0) return `no repository is bound to ${pipelineName} in ${account}/${region}`;
  const watched: Watched[] = [];
  for (const { owner, name, pipeline } of bindings) {
    const repository = await findRepository(deps.db, owner, name);
    const isServed = repository?.suspended === null && deps.serves(owner, name);
    if (repository && isServed) watched.push({ repositoryId: repository.id, pipeline });
  }
  if (watched.length > 0) return watched;
  return `the App is not installed on ${bindings.map(({ owner, name }) => `${owner}/${name}`).join(', ')}`;
}

export async function takeFrom(deps: EventDeps, source: EventSource, body: unknown): Promise<Taken> {
  const taken = await takeEvent(deps, body);
  deps.meter.event(source, taken.outcome === 'unreadable' ? 'dead' : taken.outcome);
  if (taken.outcome !== 'looking') deps.log.info({ source, why: taken.why }, 'an event was left alone');
  return taken;
}

/** A message that holds no event never will: it is kept beside the queue, and not received for ever. */
export async function takeMessage(deps: EventDeps, message: QueueMessage): Promise<void> {
  const { outcome, why } = await takeFrom(deps, 'queue', parseJson(message.body));
  if (outcome === 'unreadable') await setAside(deps, message, why);
}

export async function setAside(deps: EventDeps, { queue, id, body }: QueueMessage, why: string): Promise<void> {
  await setAsideEvent(deps.db, { queue, messageId: id, body, why });
  deps.log.warn({ queue, message: id, why }, 'a message of the event queue was set aside');
}
