import { consumeQueue, type EventQueue } from '../engine/aws/event-queue.ts';
import type { QueuePlace } from '../engine/aws/queue-client.ts';
import type { Logger } from 'pino';
import { setAside, takeMessage, type EventDeps } from './take-event.ts';

/** Receives from every queue that the operator named, until each is stopped. The SDK is loaded for the first one. */
export function startEventQueues(
  queues: readonly QueuePlace[],
  deps: EventDeps & { readonly log: Logger },
): readonly EventQueue[] {
  return queues.map((place) =>
    consumeQueue({
      url: place.url,
      open: async () => (await import('../engine/aws/queue-client.ts')).openQueue(place),
      take: (message) => takeMessage(deps, message),
      setAside: (message, why) => setAside(deps, message, why),
      log: deps.log,
    }),
  );
}
