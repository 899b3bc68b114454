import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, vi } from 'vitest';

/** What a stand-in for AWS saw and answers; STS, CloudWatch and Lambda as they speak on the wire. */
export interface LoopbackAws {
  readonly url: string;
  /** Form of each AssumeRole. */
  readonly assumed: URLSearchParams[];
  readonly alarms: Record<string, string>;
  /** Names of functions, and what they were called with. */
  readonly invoked: { readonly name: string; readonly type: string; readonly event: FunctionEvent }[];
  readonly functions: Set<string>;
  /** Region of each signed request that is not STS's. */
  readonly regions: string[];
  /** Answers the next calls with this instead. */
  failure: { readonly status: number; readonly type: string; readonly message: string } | undefined;
}

export interface FunctionEvent {
  readonly 'CodePipeline.job': {
    readonly id: string;
    readonly accountId: string;
    readonly data: {
      readonly actionConfiguration: { readonly configuration: Record<string, string> };
      readonly inputArtifacts: readonly {
        readonly location: { s3Location: { readonly bucketName: string; readonly objectKey: string } };
      }[];
      readonly artifactCredentials: {
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
        readonly sessionToken: string;
        readonly expirationTime: number;
      };
      readonly continuationToken?: string;
    };
  };
  readonly penstock: { readonly endpoint: string };
}

/** Listens on loopback while the test file runs; Penstock's own identity is in the environment. */
export function loopbackAws(): LoopbackAws {
  const aws = {
    url: '',
    assumed: [],
    alarms: {},
    invoked: [],
    functions: new Set<string>(),
    regions: [],
    failure: undefined,
  } as { -readonly [K in keyof LoopbackAws]: LoopbackAws[K] };
  const server = createServer((request, response) => void answer(aws, request, response));
  beforeAll(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOWN');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'own-secret');
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    aws.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return aws;
}

async function answer(aws: LoopbackAws, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  const scope = /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)/.exec(request.headers.authorization ?? '');
  if (scope?.[2] === 'sts') return void response.writeHead(200, { 'content-type': 'text/xml' }).end(sts(aws, body));
  aws.regions.push(scope?.[1] ?? '');
  if (aws.failure) {
    const { status, type, message } = aws.failure;
    return void response.writeHead(status, { 'x-amzn-errortype': type }).end(JSON.stringify({ __type: type, message }));
  }
  if (request.headers['x-amz-target']?.toString().endsWith('.DescribeAlarms')) {
    const { AlarmNames } = JSON.parse(body) as { AlarmNames: string[] };
    const found = AlarmNames.flatMap((AlarmName) =>
      aws.alarms[AlarmName] === undefined ? [] : [{ AlarmName, StateValue: aws.alarms[AlarmName] }],
    );
    const type = { 'content-type': 'application/x-amz-json-1.0' };
    return void response.writeHead(200, type).end(JSON.stringify({ MetricAlarms: found, CompositeAlarms: [] }));
  }
  const name = decodeURIComponent(/\/functions\/([^/]+)\/invocations$/.exec(request.url ?? '')?.[1] ?? '');
  if (!aws.functions.has(name)) {
    const message = `Function not found: ${name}`;
    return void response
      .writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException' })
      .end(JSON.stringify({ message }));
  }
  const type = request.headers['x-amz-invocation-type']?.toString() ?? '';
  aws.invoked.push({ name, type, event: JSON.parse(body) as FunctionEvent });
  response.writeHead(202).end();
}

function sts(aws: LoopbackAws, body: string): string {
  aws.assumed.push(new URLSearchParams(body));
  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
}
