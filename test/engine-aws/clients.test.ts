import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { AwsExpired, callAws } from '../../src/engine/aws/call-errors.ts';
import { createAwsClients } from '../../src/engine/aws/clients.ts';
import type { AwsSubject } from '../../src/engine/aws/port.ts';
import { UserError } from '../../src/errors.ts';

/** Answers as STS and CodePipeline do on the wire. */
const assumed: URLSearchParams[] = [];
const signedBy: string[] = [];
let lifetimeMs = 3_600_000;
let answer: { readonly status: number; readonly body: object; readonly type?: string } = { status: 200, body: {} };
let denied: string | undefined;

const server = createServer((request, response) => {
  void (async () => {
    const body = await text(request);
    if (!body.startsWith('{'))
      return response.writeHead(denied ? 403 : 200, { 'content-type': 'text/xml' }).end(sts(new URLSearchParams(body)));
    signedBy.push(/Credential=([^/]+)/.exec(request.headers.authorization ?? '')?.[1] ?? '');
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      ...(answer.type ? { 'x-amzn-errortype': answer.type } : {}),
    };
    return response.writeHead(answer.status, headers).end(JSON.stringify(answer.body));
  })();
});

function sts(form: URLSearchParams): string {
  assumed.push(form);
  if (denied !== undefined) {
    return `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>${denied}</Message></Error></ErrorResponse>`;
  }
  const expiration = new Date(Date.now() + lifetimeMs).toISOString();
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE${assumed.length}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
}

let endpoint = '';
beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOWN');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'own-secret');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

beforeEach(() => {
  assumed.length = 0;
  signedBy.length = 0;
  lifetimeMs = 3_600_000;
  denied = undefined;
  answer = { status: 200, body: { pipeline: { name: 'shop-prod' } } };
});

const target = {
  account: '111122223333',
  region: 'eu-west-1',
  pipelineName: 'shop-prod',
  roleArn: 'arn:aws:iam::111122223333:role/penstock',
  externalId: 'penstock-0123456789',
};
const subject: AwsSubject = {
  repositoryId: 42,
  repository: 'acme/shop',
  pullRequest: 12,
  execution: 'e-1',
  person: 'anna-b',
};

test('a role is taken with external id, session tags and the person, for an hour at most (SEC-T-06)', async () => {
  const api = await createAwsClients({ endpoint }).codePipeline(target, subject);
  await api.getPipeline({ name: 'shop-prod' });
  expect(Object.fromEntries(assumed[0] ?? [])).toEqual({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: target.roleArn,
    RoleSessionName: 'repo-42-pr-12',
    ExternalId: 'penstock-0123456789',
    SourceIdentity: 'github-anna-b',
    DurationSeconds: '3600',
    'Tags.member.1.Key': 'repository',
    'Tags.member.1.Value': 'acme/shop',
    'Tags.member.2.Key': 'pull-request',
    'Tags.member.2.Value': '12',
    'Tags.member.3.Key': 'execution',
    'Tags.member.3.Value': 'e-1',
  });
});

test('one session serves many calls, is another one for another subject, and is renewed before it ends', async () => {
  const clients = createAwsClients({ endpoint });
  for (let call = 0; call < 3; call += 1)
    await (await clients.codePipeline(target, subject)).getPipeline({ name: 'x' });
  expect(assumed).toHaveLength(1);
  lifetimeMs = 60_000;
  const other = { repositoryId: 43, repository: 'acme/web' };
  await (await clients.codePipeline(target, other)).getPipeline({ name: 'x' });
  await (await clients.codePipeline(target, other)).getPipeline({ name: 'x' });
  expect(signedBy.slice(0, 3)).toEqual(['ASIAROLE1', 'ASIAROLE1', 'ASIAROLE1']);
  expect(new Set(signedBy).size).toBe(3);
});

test('a session that AWS calls expired before its time is given up, and the next call takes the role anew', async () => {
  const clients = createAwsClients({ endpoint });
  const ask = async () => (await clients.codePipeline(target, subject)).getPipeline({ name: 'x' });
  await ask();
  answer = { status: 400, body: { message: 'The security token has expired' }, type: 'ExpiredTokenException' };
  await expect(callAws(target, 'GetPipeline', ask)).rejects.toBeInstanceOf(AwsExpired);
  answer = { status: 200, body: {} };
  clients.renew(target, subject);
  await ask();
  expect(assumed).toHaveLength(2);
  expect(signedBy.at(-1)).toBe('ASIAROLE2');
});

async function call(): Promise<unknown> {
  const api = await createAwsClients({ endpoint }).codePipeline(target, subject);
  return callAws(target, 'GetPipeline', () => api.getPipeline({ name: 'shop-prod' })).catch((error: unknown) => error);
}

test('a role that cannot be taken names what its trust policy needs (SEC-T-16)', async () => {
  denied = 'User: arn:aws:iam::999900001111:user/penstock is not authorized to perform: sts:AssumeRole on resource: x';
  const error = await call();
  expect(error).toBeInstanceOf(UserError);
  expect(String(error)).toContain('sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity');
});
