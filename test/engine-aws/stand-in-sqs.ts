import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Held {
  readonly id: string;
  readonly body: string;
  receives: number;
  /** Of the newest receive; absent while it is visible. */
  receipt?: string;
}

/** A queue of SQS on the wire: JSON 1.0, long polling, visibility. Messages become visible again when a test says so. */
export interface StandInSqs {
  readonly url: string;
  send(body: string): string;
  /** As when their visibility timeout ends. */
  showHidden(): void;
  /** Ids that are still in the queue, hidden ones too. */
  left(): readonly string[];
  /** Receives that wait for a message. */
  waiting(): number;
  /** The next calls of that name fail. */
  fault(call: string, times: number): void;
  readonly calls: { readonly call: string; readonly input: Readonly<Record<string, unknown>> }[];
  stop(): Promise<void>;
}

export const queuePath = '/111122223333/penstock-events';

export interface QueueDoor extends Omit<StandInSqs, 'url' | 'stop'> {
  /** Answers one request whose target begins with `AmazonSQS.`. */
  handle(call: string, body: string, response: ServerResponse): Promise<void>;
}

export function queueDoor(options: { readonly deadLetters?: number } = {}): QueueDoor {
  const messages: Held[] = [];
  const calls: QueueDoor['calls'] = [];
  const faults: string[] = [];
  const wakers = new Set<() => void>();
  const wake = (): void => wakers.forEach((waker) => waker());
  const receive = async (input: { MaxNumberOfMessages: number; WaitTimeSeconds: number }, response: ServerResponse) => {
    const visible = () => messages.filter((message) => message.receipt === undefined);
    if (visible().length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, input.WaitTimeSeconds * 1000);
        const end = (): void => {
          clearTimeout(timer);
          wakers.delete(end);
          resolve();
        };
        wakers.add(end);
        response.once('close', end);
      });
    }
    if (response.destroyed) return {};
    const taken = visible().slice(0, input.MaxNumberOfMessages);
    for (const message of taken) Object.assign(message, { receipt: randomUUID(), receives: message.receives + 1 });
    return {
      Messages: taken.map(({ id, body, receipt, receives }) => ({
        MessageId: id,
        ReceiptHandle: receipt,
        Body: body,
        MD5OfBody: createHash('md5').update(body).digest('hex'),
        Attributes: { ApproximateReceiveCount: String(receives) },
      })),
    };
  };
  const remove = ({ Entries }: { Entries: readonly { Id: string; ReceiptHandle: string }[] }) => {
    for (const { ReceiptHandle } of Entries) {
      const index = messages.findIndex((message) => message.receipt === ReceiptHandle);
      if (index >= 0) messages.splice(index, 1);
    }
    return { Successful: Entries.map(({ Id }) => ({ Id })), Failed: [] };
  };
  const attributes = ({ QueueUrl }: { QueueUrl: string }) => {
    if (QueueUrl.endsWith('-dead')) return { Attributes: { ApproximateNumberOfMessages: String(options.deadLetters) } };
    const policy = {
      deadLetterTargetArn: 'arn:aws:sqs:eu-west-1:111122223333:penstock-events-dead',
      maxReceiveCount: 5,
    };
    const redrive = options.deadLetters === undefined ? {} : { RedrivePolicy: JSON.stringify(policy) };
    return { Attributes: { ApproximateNumberOfMessages: String(messages.length), ...redrive } };
  };
  return {
    calls,
    send: (body) => {
      const id = randomUUID();
      messages.push({ id, body, receives: 0 });
      wake();
      return id;
    },
    showHidden: () => {
      for (const message of messages) delete message.receipt;
      wake();
    },
    waiting: () => wakers.size,
    left: () => messages.map((message) => message.id),
    fault: (call, times) => void faults.push(...Array<string>(times).fill(call)),
    handle: async (call, body, response) => {
      const input = JSON.parse(body) as never;
      calls.push({ call, input });
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      if (faults.includes(call)) {
        faults.splice(faults.indexOf(call), 1);
        response
          .writeHead(503)
          .end(JSON.stringify({ __type: 'com.amazonaws.sqs#ServiceUnavailable', message: 'down' }));
        return;
      }
      const work: Record<string, () => unknown> = {
        ReceiveMessage: () => receive(input, response),
        DeleteMessageBatch: () => remove(input),
        GetQueueAttributes: () => attributes(input),
      };
      const answer = await work[call]?.();
      if (!response.destroyed) response.writeHead(answer === undefined ? 400 : 200).end(JSON.stringify(answer ?? {}));
    },
  };
}

export async function startStandInSqs(options: { readonly deadLetters?: number } = {}): Promise<StandInSqs> {
  const door = queueDoor(options);
  const server = createServer((request: IncomingMessage, response) => {
    void text(request).then((body) =>
      door.handle(String(request.headers['x-amz-target']).replace('AmazonSQS.', ''), body, response),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(door, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${queuePath}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}
