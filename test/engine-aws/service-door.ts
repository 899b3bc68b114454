import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a service of AWS answers to one call: a document of its API, or an error of its model. */
export type ServiceAnswer = object | { readonly error: string; readonly message: string; readonly status?: number };
export type Answerer = (input: Readonly<Record<string, unknown>>, region: string) => ServiceAnswer;

export interface ServiceDoor {
  readonly url: string;
  /** By operation, `DescribeStackEvents`; what is not here is an UnknownOperationException. */
  readonly answers: Record<string, Answerer>;
  /** Operations as they arrived, with what they were asked, and by which key they were signed. */
  readonly calls: { readonly operation: string; readonly input: Readonly<Record<string, unknown>> }[];
  /** Of every role that is taken. */
  readonly secrets: { readonly key: string; readonly token: string };
  close(): Promise<void>;
}

/**
 * A loopback server that speaks as the services of AWS do on the wire: JSON 1.1, the query protocol of STS and
 * CloudFormation, and Lambda's REST. Roles can always be taken.
 */
export async function openServiceDoor(): Promise<ServiceDoor> {
  const answers: ServiceDoor['answers'] = { AssumeRole: assumed };
  const calls: { operation: string; input: Readonly<Record<string, unknown>> }[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const { operation, input, form } = readCall(request, await text(request));
      calls.push({ operation, input });
      const region = /Credential=[^/]+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
      const answer = answers[operation]?.(input, region) ?? { error: 'UnknownOperationException', message: operation };
      const { status, type, body, kind } = form ? inXml(operation, answer) : inJson(answer);
      response.writeHead(status, { 'content-type': type, ...(kind ? { 'x-amzn-errortype': kind } : {}) }).end(body);
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    calls,
    secrets,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function readCall(request: IncomingMessage, body: string) {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string')
    return { operation: target.split('.')[1] ?? '', input: JSON.parse(body) as Record<string, unknown>, form: false };
  const lambda = /^\/2015-03-31\/functions\/([^/]+)\/configuration/.exec(request.url ?? '');
  if (lambda) return { operation: 'GetFunctionConfiguration', input: { FunctionName: lambda[1] }, form: false };
  const input = Object.fromEntries(new URLSearchParams(body));
  return { operation: input['Action'] ?? '', input, form: true };
}

const secrets = { key: 'role-secret-9f1c', token: 'session-token-77aa' };

function assumed(): object {
  const Expiration = new Date(Date.now() + 3_600_000).toISOString();
  const { key: SecretAccessKey, token: SessionToken } = secrets;
  return { Credentials: { AccessKeyId: 'ASIAROLE', SecretAccessKey, SessionToken, Expiration } };
}

function isError(answer: ServiceAnswer): answer is { error: string; message: string; status?: number } {
  return 'error' in answer && 'message' in answer;
}

function inJson(answer: ServiceAnswer) {
  const type = 'application/x-amz-json-1.1';
  if (!isError(answer)) return { status: 200, type, body: JSON.stringify(answer) };
  const { error, message, status = 400 } = answer;
  return { status, type, kind: error, body: JSON.stringify({ __type: error, message }) };
}

function inXml(operation: string, answer: ServiceAnswer) {
  const type = 'text/xml';
  if (isError(answer)) {
    const { error, message, status = 400 } = answer;
    const body = `<ErrorResponse><Error><Type>Sender</Type><Code>${error}</Code><Message>${escaped(message)}</Message></Error></ErrorResponse>`;
    return { status, type, kind: undefined, body };
  }
  const body = `<${operation}Response><${operation}Result>${xml(answer)}</${operation}Result></${operation}Response>`;
  return { status: 200, type, kind: undefined, body };
}

function xml(value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => `<member>${xml(one)}</member>`).join('');
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([name, inner]) => `<${name}>${xml(inner)}</${name}>`)
      .join('');
  return escaped(String(value));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
