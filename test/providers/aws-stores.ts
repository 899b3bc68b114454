import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll } from 'vitest';

export interface Asked {
  readonly operation: string;
  readonly region: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export type Answer = Readonly<Record<string, unknown>> | { readonly error: string; readonly message: string };

/** Parameter Store and Secrets Manager over HTTP, as the SDK speaks to them; answers by the name that is asked for. */
export async function serveAwsStores(answers: Readonly<Record<string, Answer>>) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void text(request).then((read) => {
      const body = JSON.parse(read) as Record<string, unknown>;
      const operation = String(request.headers['x-amz-target']);
      const [, region = ''] = /\/\d{8}\/([^/]+)\//.exec(String(request.headers.authorization)) ?? [];
      asked.push({ operation, region, body });
      const answer = answers[String(body['Name'] ?? body['SecretId'])] ?? {
        error: operation.startsWith('AmazonSSM') ? 'ParameterNotFound' : 'ResourceNotFoundException',
        message: 'it cannot be found',
      };
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      if (!('error' in answer)) return response.end(JSON.stringify(answer));
      response.statusCode = 400;
      return response.end(JSON.stringify({ __type: answer.error, message: answer.message }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const before = { ...process.env };
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIAEXAMPLE';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'example-only';
  afterAll(async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as { port: number };
  return { endpoint: `http://127.0.0.1:${port}`, asked };
}
