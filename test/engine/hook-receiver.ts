import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll } from 'vitest';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Somebody on this machine who takes what is sent, also in the words of SQS. */
export interface HookReceiver {
  readonly address: string;
  /** What was taken. */
  readonly received: Received[];
  /** What is answered next; 200 when empty. */
  readonly statuses: number[];
}

/** To be called once at the top of a test file. */
export async function hookReceiver(): Promise<HookReceiver> {
  const received: Received[] = [];
  const statuses: number[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      const status = statuses.shift() ?? 200;
      if (status === 200) received.push({ headers: request.headers, body });
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(request.headers['x-amz-target'] === undefined ? '' : '{"MessageId":"1"}');
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(() => void server.close());
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, statuses };
}
