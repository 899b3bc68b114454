import { mkdtempSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodePipeline } from '@aws-sdk/client-codepipeline';
import { afterAll, expect, test } from 'vitest';
import { penstock, startPenstock } from '../cli/run-command.ts';
import { approval, declare } from './declare.ts';

const home = mkdtempSync(join(tmpdir(), 'penstock-api-process-'));
const env = { PENSTOCK_HOME: home, PATH: process.env['PATH'] ?? '', LOG_LEVEL: 'warn' };

afterAll(() => rm(home, { recursive: true, force: true }));

test('a key is made, listed and revoked; its secret is shown once and lies encrypted', async () => {
  const made = await penstock(['api-key', 'create', '--admin', '--read-only'], { env });
  expect(made.code).toBe(0);
  const id = /^aws_access_key_id = (AKIA[0-9A-F]{16})$/m.exec(made.out)![1]!;
  expect(made.out).toMatch(/^aws_secret_access_key = [\w-]{40}$/m);
  expect(statSync(join(home, 'api-secret')).mode & 0o777).toBe(0o600);
  expect((await penstock(['api-key', 'list'], { env })).out).toMatch(
    new RegExp(`^${id}  admin, read-only, made 2`, 'm'),
  );
  expect((await penstock(['api-key', 'revoke', id], { env })).out).toBe(`Revoked ${id}.\n`);
});

test('penstock api says where it listens, runs a pipeline without GitHub, makes keys meanwhile, and ends at a signal', async () => {
  const running = startPenstock(['api', '--port', '0', '--anonymous'], env, home);
  const [, endpoint = ''] = await running.printed(/^listening on (http:\S+)$/m);
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  const client = new CodePipeline({ endpoint, region: 'us-east-1', credentials });
  expect((await fetch(`${endpoint}/sources/app.zip`, { method: 'PUT', body: 'zip' })).status).toBe(200);
  const pipeline = declare({ Gate: { Approve: approval } }, { name: 'web' });
  await client.createPipeline({ pipeline });
  let token: string | undefined;
  while (token === undefined) {
    const { stageStates = [] } = await client.getPipelineState({ name: 'web' });
    expect(stageStates[0]?.latestExecution?.status).not.toBe('Failed');
    token = stageStates[1]?.actionStates?.[0]?.latestExecution?.token;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const result = { status: 'Approved', summary: 'fine' } as const;
  await client.putApprovalResult({ pipelineName: 'web', stageName: 'Gate', actionName: 'Approve', token, result });
  const { pipelineExecutionSummaries } = await client.listPipelineExecutions({ pipelineName: 'web' });
  expect(pipelineExecutionSummaries?.[0]?.status).toBe('Succeeded');
  client.destroy();
  const made = await penstock(['api-key', 'create', '--admin'], { env });
  expect(made.out).toMatch(/^aws_access_key_id = AKIA/);
  expect((await penstock(['api-key', 'list'], { env })).out.trim().split('\n')).toHaveLength(2);
  const unknown = await penstock(['api-key', 'revoke', 'AKIA0'], { env });
  expect([unknown.code, unknown.err.trim()]).toEqual([
    1,
    'There is no key AKIA0 that could be revoked. See penstock api-key list.',
  ]);
  expect((await penstock(['api-key', 'create', '--repository', 'acme/none'], { env })).err).toContain(
    'The repository acme/none is not known here',
  );
  expect((await running.stop()).code).toBe(0);
});
