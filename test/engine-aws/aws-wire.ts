import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a call of CodePipeline came to: the body of an answer, or of an error. */
export interface WireAnswer {
  readonly status: number;
  readonly body: string;
}

export type WireCall = (operation: string, input: object) => Promise<WireAnswer>;

/**
 * AWS as the SDK reaches it over HTTP: STS gives out roles, CodeBuild knows no builds, and CodePipeline is whoever
 * `answer` asks. Callers of the door bear no role, so its answers name the one that was assumed.
 */
export async function openAwsWire(answer: WireCall): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      const target = request.headers['x-amz-target'];
      if (typeof target !== 'string') return send(response, { status: 200, body: assumed }, 'text/xml');
      if (target.startsWith('CodeBuild')) return send(response, { status: 200, body: '{"builds":[]}' });
      const told = await answer(target.replace(/^.*\./, ''), JSON.parse(body) as object);
      return send(response, { ...told, body: told.body.replaceAll(/arn:aws:iam::\d+:user\/penstock\/\w+/g, session) });
    })().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const session = 'arn:aws:sts::111122223333:assumed-role/penstock/repo-42';

const assumed = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;

function send(response: ServerResponse, { status, body }: WireAnswer, type = 'application/x-amz-json-1.1'): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

/** Passes a call on to the door as it is. */
export function askDoor(url: () => string): WireCall {
  return async (operation, input) => {
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `CodePipeline_20150709.${operation}`,
    };
    const answer = await fetch(url(), { method: 'POST', headers, body: JSON.stringify(input) });
    return { status: answer.status, body: await answer.text() };
  };
}
