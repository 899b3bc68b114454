import { SQS } from '@aws-sdk/client-sqs';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { QueueApi } from './event-queue.ts';

/** A queue that events come from; from penstock.server.yml only. */
export interface QueuePlace {
  readonly url: string;
  readonly region: string;
  /** Without one, Penstock's own identity receives. */
  readonly roleArn?: string;
  readonly externalId?: string;
}

/** Longer than SQS waits for a message. */
const patience = { connectionTimeout: 5_000, requestTimeout: 35_000 };

export function openQueue({ url, region, roleArn, externalId }: QueuePlace): QueueApi {
  const role =
    roleArn === undefined
      ? {}
      : {
          credentials: fromTemporaryCredentials({
            params: {
              RoleArn: roleArn,
              RoleSessionName: 'penstock-events',
              ...(externalId === undefined ? {} : { ExternalId: externalId }),
            },
            clientConfig: { region },
          }),
        };
  // The queue's own address, about which the SDK would otherwise warn each time when it is not the usual one.
  return new SQS({ region, endpoint: new URL(url).origin, requestHandler: patience, maxAttempts: 2, ...role });
}
