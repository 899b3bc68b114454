// A thread of bench/api.ts: callers of the CodePipeline API, apart from the server so that neither waits for the other.
import { Agent, request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { signedHeaders } from '../test/codepipeline-api/signed-fetch.ts';

interface Order {
  readonly operation: string;
  readonly body: string;
  readonly callers: number;
  readonly count: number;
}

const { url, credentials } = workerData as {
  url: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
};
const agent = new Agent({ keepAlive: true });

function call({ operation, body }: Order): Promise<void> {
  const sent = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `CodePipeline_20150709.${operation}`,
  };
  const headers = signedHeaders(`${url}/`, { method: 'POST', headers: sent, body }, credentials);
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.once('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`${operation} answered ${response.statusCode}`)),
      );
    });
    asked.once('error', reject).end(body);
  });
}

parentPort?.on('message', async (order: Order) => {
  const waits: number[] = [];
  let left = order.count;
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      const asked = performance.now();
      await call(order);
      waits.push(performance.now() - asked);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: order.callers }, caller));
  parentPort?.postMessage({ seconds: (performance.now() - started) / 1000, waits });
});
