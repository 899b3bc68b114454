import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { shop } from '../engine-aws/bench.ts';
import { openServiceDoor } from '../engine-aws/service-door.ts';

/** The command as a process of its own, on a machine whose only AWS is a loopback server. */
const door = await openServiceDoor();
const cwd = await mkdtemp(join(tmpdir(), 'penstock-doctor-'));
afterAll(async () => {
  await door.close();
  await rm(cwd, { recursive: true, force: true });
});

const roleArn = 'arn:aws:iam::111122223333:role/penstock-shop';
const shopArn = 'arn:aws:codepipeline:eu-west-1:111122223333:shop-prod';
const taken = door.answers['AssumeRole'];

beforeEach(async () => {
  await bind('eu-west-1');
  const unknown = {
    error: 'PipelineNotFoundException',
    message: "Account '111122223333' does not have a pipeline with name 'shop-prod'",
  };
  Object.assign(door.answers, {
    AssumeRole: taken,
    GetPipeline: (_: object, region: string) => (region === 'eu-west-1' ? { pipeline: shop } : unknown),
    GetPipelineState: () => ({ pipelineName: 'shop-prod', stageStates: [] }),
    ListPipelineExecutions: () => ({ pipelineExecutionSummaries: [{ pipelineExecutionId: 'e-1' }] }),
    ListActionExecutions: () => ({ actionExecutionDetails: [] }),
    GetPipelineExecution: () => ({ pipelineExecution: { pipelineExecutionId: 'e-1' } }),
    ListRuleExecutions: () => ({ ruleExecutionDetails: [] }),
    GetQueueAttributes: () => ({ Attributes: { ApproximateNumberOfMessages: '3' } }),
  });
});

function bind(region: string): Promise<void> {
  const aws = JSON.stringify({ account: '111122223333', region, pipelineName: 'shop-prod', roleArn });
  const queue = JSON.stringify({ url: `${door.url}/111122223333/penstock`, region });
  const text = `bindings:\n  - { repository: acme/shop, pipeline: shop, aws: ${aws} }\naws: { queues: [${queue}] }\n`;
  return writeFile(join(cwd, 'penstock.server.yml'), text);
}

const own = { AWS_ACCESS_KEY_ID: 'AKIAOWN', AWS_SECRET_ACCESS_KEY: 'own-secret' };

/** What it says of the bound pipeline, and how it ended. */
function doctor(
  credentials: object = own,
  about = 'AWS pipeline',
): Promise<{ lines: readonly string[]; code: number | string | null }> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: cwd,
    PENSTOCK_HOME: join(cwd, 'home'),
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL: door.url,
    ...credentials,
  };
  const cli = join(import.meta.dirname, '../../src/cli.ts');
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [cli, 'doctor'], { cwd, env, timeout: 60_000 }, (_error, stdout) => {
      const lines = stdout.split('\n');
      const from = lines.findIndex((line) => line.includes(about));
      // A finding goes on in lines that are set in; this one must not.
      const to = lines.findIndex((line, index) => index > from && /^(ok|MEND) /.test(line));
      resolve({ lines: lines.slice(from, to), code: child.exitCode });
    });
  });
}

test('a role that can be taken and may read: well', async () => {
  const { lines } = await doctor();
  expect(lines).toEqual([
    'ok    AWS pipeline shop of acme/shop: shop-prod in eu-west-1 of 111122223333 can be read; what starts, approves or stops is not tried',
  ]);
});

test('a machine without credentials', async () => {
  const { lines, code } = await doctor({});
  expect(code).toBe(1);
  expect(lines).toEqual([
    `MEND  AWS pipeline shop of acme/shop: Penstock has no AWS credentials of its own to take the role ${roleArn} with. Give the server an instance or task role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`,
  ]);
});

test('the wrong region', async () => {
  await bind('eu-central-1');
  const { lines, code } = await doctor();
  expect(code).toBe(1);
  expect(lines).toEqual([
    'MEND  AWS pipeline shop of acme/shop: There is no pipeline shop-prod in eu-central-1 of the account 111122223333. Correct `pipelineName` and `region` of the binding in penstock.server.yml, and the account of its role.',
  ]);
});

test('a region that answers to nobody', async () => {
  await bind('eu-wst-1');
  const { lines } = await doctor({ ...own, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^MEND .*ECONNREFUSED.* Check that `region: eu-wst-1` of the binding is a region of AWS/);
});

test('a missing permission', async () => {
  door.answers['ListActionExecutions'] = () => ({
    error: 'AccessDeniedException',
    message: `User: arn:aws:sts::111122223333:assumed-role/penstock-shop/repo-0 is not authorized to perform: codepipeline:ListActionExecutions on resource: ${shopArn} because no identity-based policy allows it`,
  });
  const { lines, code } = await doctor();
  expect(code).toBe(1);
  expect(lines).toEqual([
    `MEND  AWS pipeline shop of acme/shop: The role ${roleArn} lacks codepipeline:ListActionExecutions on ${shopArn}. \`penstock iam-policy\` prints the policy that it needs.`,
  ]);
});

test('a role that may not be taken', async () => {
  door.answers['AssumeRole'] = () => ({
    error: 'AccessDenied',
    message: `User: arn:aws:iam::999900001111:user/p is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
    status: 403,
  });
  const { lines } = await doctor();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    /^MEND .*AWS does not let Penstock take the role .* the external id that `penstock iam-policy` prints\.$/,
  );
});

test('credentials that AWS does not know', async () => {
  door.answers['AssumeRole'] = () => ({
    error: 'InvalidClientTokenId',
    message: 'The security token is invalid',
    status: 403,
  });
  const { lines } = await doctor();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^MEND .*AWS does not accept Penstock's own credentials \(InvalidClientTokenId\)/);
});

test('a queue that answers, and one that may not be read', async () => {
  expect((await doctor(own, 'AWS queue')).lines).toEqual(['ok    AWS queue penstock: 3 messages wait']);
  Object.assign(door.answers, {
    GetQueueAttributes: () => ({ error: 'AccessDenied', message: 'Access to the resource is denied.' }),
  });
  const { lines, code } = await doctor(own, 'AWS queue');
  expect(code).toBe(1);
  expect(lines).toEqual([expect.stringMatching(/^MEND  AWS queue penstock: .*denied.*penstock iam-policy/)]);
});
