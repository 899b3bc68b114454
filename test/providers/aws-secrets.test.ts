import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readServerConfig } from '../../src/config/server.ts';
import { awsSecretSource } from '../../src/main/aws-secrets.ts';
import { UserError } from '../../src/errors.ts';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import { createAwsSecretReader } from '../../src/providers/aws-secrets.ts';
import { createProviders } from '../../src/providers/registry.ts';
import { secretValue } from '../../src/providers/secret-values.ts';
import { availableRungs, temporaryDirectory } from '../buildspec/rungs.ts';
import { anAction, artifact, finish, type ActionChange } from './action.ts';
import { serveAwsStores } from './aws-stores.ts';
import { zipOf } from './zip-of.ts';

const login = { user: 'build', password: 'pass-word-of-the-login', port: 5432, nested: { a: 1 } };
const secretArn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:shared/signing-Ab12Cd';
const aws = await serveAwsStores({
  '/acme/web/token': { Parameter: { Value: 'value-of-the-token' } },
  '/acme/web/token:3': { Parameter: { Value: 'third-token-value' } },
  '/acme/web/hidden': { error: 'AccessDeniedException', message: 'User: x is not authorized' },
  '/acme/web/locked': { error: 'InvalidKeyId', message: 'the key is gone' },
  'prod/web/login': { SecretString: JSON.stringify(login) },
  'prod/web/plain': { SecretString: 'no json at all' },
  'prod/web/binary': { SecretBinary: 'AAEC' },
  [secretArn]: { SecretString: JSON.stringify({ key: 'key-of-the-signer' }) },
});
const root = await temporaryDirectory();
const home = join(root, 'home');
const artifacts = openArtifactStore(home);
const [isolation] = await availableRungs();

const config = readServerConfig(`
awsSecrets:
  - repositories: [acme/web]
    region: eu-west-1
    parameters: [/acme/web/*]
    secrets: [prod/web/*, "${secretArn}"]
  - repositories: [acme/other]
    region: us-east-1
    parameters: [/acme/other]
`);
if (!config.ok) throw new Error(JSON.stringify(config.problems));
const reader = createAwsSecretReader({ endpoint: aws.endpoint });
const source = awsSecretSource(config.config.awsSecrets, reader);
const providers = createProviders({
  home,
  isolation: isolation!,
  artifacts,
  maxConcurrentActions: 4,
  network: 'host',
  fetchAccess: () => Promise.reject(new Error('nothing is fetched here')),
  secretSource: source,
});

interface Built {
  readonly report: Awaited<ReturnType<typeof finish>>;
  readonly log: string;
}

function value(type: 'PARAMETER_STORE' | 'SECRETS_MANAGER', name: string, change: ActionChange = {}): Promise<string> {
  const action = anAction(home, providers.get('Compute/AWS/Commands/1')!, change);
  return secretValue({ name: 'A', value: name, type }, action, source);
}

async function build(env: string, command: string, change: ActionChange = {}): Promise<Built> {
  const provider = providers.get('Build/AWS/CodeBuild/1')!;
  const input = artifact('Source');
  const buildspec = `version: 0.2\nenv:\n${env}\nphases: {build: {commands: ['${command}']}}\n`;
  await artifacts.put(input.location, await zipOf({ 'buildspec.yml': buildspec }));
  const action = anAction(home, provider, { ...change, inputs: [input], configuration: { ProjectName: 'unit' } });
  const report = await finish(provider, action);
  return { report, log: readFileSync(action.logFile, 'utf8') };
}

describe('secrets and parameters that are kept in AWS', () => {
  it('become variables of a build that may read them, masked, in the region of the rule', async () => {
    const env = `  parameter-store: {TOKEN: /acme/web/token, OLD: "/acme/web/token:3"}
  secrets-manager: {PASSWORD: "prod/web/login:password", PORT: "prod/web/login:port", ALL: prod/web/plain, SIGNER: "${secretArn}:key"}`;
    const { report, log } = await build(env, 'env | sort; echo -n $PASSWORD | base64; test "$PORT" = 5432');
    expect(report).toMatchObject({ kind: 'succeeded' });
    for (const name of ['ALL', 'OLD', 'PASSWORD', 'PORT', 'SIGNER', 'TOKEN']) expect(log).toContain(`\n${name}=***\n`);
    for (const value of ['value-of', 'third-token', 'pass-word', Buffer.from(login.password).toString('base64')])
      expect(log).not.toContain(value);
    expect(new Set(aws.asked.map(({ region }) => region))).toEqual(new Set(['eu-west-1']));
    expect(aws.asked.find(({ body }) => body['Name'] === '/acme/web/token')?.body).toEqual({
      Name: '/acme/web/token',
      WithDecryption: true,
    });
  });

  it('can be asked for by stage and by version', async () => {
    aws.asked.length = 0;
    const id = '11111111-2222-3333-4444-555555555555';
    await value('SECRETS_MANAGER', `prod/web/login:password:AWSPREVIOUS:${id}`);
    await value('SECRETS_MANAGER', 'prod/web/plain::AWSPENDING');
    expect(aws.asked.map(({ body }) => body)).toEqual([
      { SecretId: 'prod/web/login', VersionStage: 'AWSPREVIOUS', VersionId: id },
      { SecretId: 'prod/web/plain', VersionStage: 'AWSPENDING' },
    ]);
  });

  it.each([
    ['PARAMETER_STORE', '/acme/web/nowhere', /The parameter \/acme\/web\/nowhere does not exist in eu-west-1/],
    ['SECRETS_MANAGER', 'prod/web/nowhere', /The secret prod\/web\/nowhere does not exist in eu-west-1/],
    ['PARAMETER_STORE', '/acme/web/hidden', /does not let Penstock read the parameter .*ssm:GetParameter/],
    ['PARAMETER_STORE', '/acme/web/locked', /cannot be decrypted.*kms:Decrypt/],
    ['SECRETS_MANAGER', 'prod/web/binary', /is binary/],
    ['SECRETS_MANAGER', 'prod/web/login:passwort', /has no "passwort"/],
    ['SECRETS_MANAGER', 'prod/web/login:nested', /has no text under "nested"/],
    ['SECRETS_MANAGER', 'prod/web/plain:key', /is not JSON.*Remove :key/],
  ] as const)('%s %s fails with what to do', async (type, name, message) => {
    await expect(value(type, name)).rejects.toThrow(message);
    await expect(value(type, name)).rejects.toThrow(UserError);
  });

  const repository = { id: 9, owner: 'acme', name: 'other', installationId: 7 };
  const foreignArn = 'arn:aws:secretsmanager:eu-west-1:999999999999:secret:prod/web/login-abcdef';
  it.each([
    ['a name that no rule allows', 'PARAMETER_STORE', '/prod/root', {}],
    ['what another repository may read', 'PARAMETER_STORE', '/acme/other', {}],
    ['a parameter as a secret', 'SECRETS_MANAGER', '/acme/web/token', {}],
    ['the ARN of a name that is allowed', 'SECRETS_MANAGER', foreignArn, {}],
    ['a fork', 'PARAMETER_STORE', '/acme/web/token', { trust: 'fork' }],
    ['another repository', 'PARAMETER_STORE', '/acme/web/token', { repository }],
  ] as const)('%s is refused without asking AWS (SEC-C-06)', async (_name, type, name, change) => {
    aws.asked.length = 0;
    await expect(value(type, name, change)).rejects.toThrow('may not see');
    expect(aws.asked).toEqual([]);
  });

  it('a parameter is no way round to Secrets Manager', async () => {
    const all = readServerConfig('awsSecrets: [{ repositories: [acme/*], region: eu-west-1, parameters: ["*"] }]');
    const open = awsSecretSource(all.ok ? all.config.awsSecrets : [], reader);
    const read = (id: string) =>
      open({ store: 'PARAMETER_STORE', id }, { id: 1, owner: 'acme', name: 'web', installationId: 7 });
    for (const id of [
      '/aws/reference/secretsmanager/prod/web/login',
      'aws/reference/secretsmanager/x',
      'arn:aws:ssm:eu-west-1:111122223333:parameter/aws/reference/secretsmanager/x',
    ])
      await expect(read(id), id).rejects.toThrow(/stands for a secret/);
    expect(await read('/acme/web/token')).toBe('value-of-the-token');
  });

  it('reach a Commands action too, masked', async () => {
    const provider = providers.get('Compute/AWS/Commands/1')!;
    const input = artifact('Source');
    await artifacts.put(input.location, await zipOf({ a: '' }));
    const action = anAction(home, provider, {
      inputs: [input],
      declaration: {
        commands: ['echo "it is $PASSWORD"', 'export OUT="$PASSWORD"'],
        outputVariables: ['OUT'],
        environmentVariables: [{ name: 'PASSWORD', value: 'prod/web/login:password', type: 'SECRETS_MANAGER' }],
      },
    });
    expect(await finish(provider, action)).toMatchObject({ kind: 'succeeded', outputVariables: { OUT: '***' } });
    expect(readFileSync(action.logFile, 'utf8')).toContain('it is ***');
  });
});
