import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, onTestFinished, test, vi } from 'vitest';
import { apiBench } from './api-bench.ts';
import { declare } from './declare.ts';
import { refusal } from './door-bench.ts';

const script = join(import.meta.dirname, '../../examples/job-worker/worker.mjs');

const custom = { category: 'Build', provider: 'Builder', version: '1' } as const;

const pipeline = declare({
  Build: {
    Shout: {
      actionTypeId: { ...custom, owner: 'Custom' },
      configuration: {},
      outputArtifacts: [{ name: 'Loud' }],
    },
  },
});
const name = pipeline.name!;
const { server, client, store, credentials } = await apiBench();

test('the job worker of the examples builds, over a continuation, while another worker loses the race', async () => {
  expect(readFileSync(script, 'utf8').split('\n').length).toBeLessThan(150);
  const details = { minimumCount: 1, maximumCount: 1 };
  await client.createCustomActionType({ ...custom, inputArtifactDetails: details, outputArtifactDetails: details });
  await store.putObject({ Bucket: 'sources', Key: 'app.zip', Body: 'quiet words\n' });
  await client.createPipeline({ pipeline });

  // The rival is handed the job first and is slow; the job is offered again, and the example takes it.
  const actionTypeId = { ...custom, owner: 'Custom' } as const;
  const rival = await vi.waitFor(
    async () => {
      const [job] = (await client.pollForJobs({ actionTypeId, maxBatchSize: 1 })).jobs ?? [];
      if (!job) throw new Error('no job yet');
      return job;
    },
    { timeout: 20_000 },
  );
  await sql`update worker_jobs set dispatched_at = now() - interval '2 minutes'`.execute(server.database.db);
  const worker = spawn(process.execPath, [script], {
    env: {
      PATH: process.env['PATH'],
      AWS_ENDPOINT_URL: server.url,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      BUILD_COMMAND: 'sleep 0.5; tr a-z A-Z < "$INPUT" > "$OUTPUT"',
      POLL_SECONDS: '0.2',
    },
  });
  onTestFinished(() => void worker.kill());
  let said = '';
  for (const stream of [worker.stdout, worker.stderr])
    stream.on('data', (text: Buffer) => void (said += text.toString()));

  await vi.waitFor(
    async () => {
      const { stageStates } = await client.getPipelineState({ name });
      const { status } = stageStates![1]!.latestExecution!;
      if (status !== 'Succeeded') throw new Error(`${status}: ${said}`);
    },
    { timeout: 60_000, interval: 100 },
  );
  expect(said).toMatch(/goes on as [0-9a-f-]{36}\n[^]*: succeeded\n/);
  expect(said).not.toMatch(/Error|could not/);
  const late = client.acknowledgeJob({ jobId: rival.id!, nonce: rival.nonce! });
  expect(await refusal(late)).toMatch(/^InvalidNonceException/);
  const { actionExecutionDetails } = await client.listActionExecutions({ pipelineName: name });
  const built = actionExecutionDetails?.find(({ actionName }) => actionName === 'Shout');
  const { s3location } = built!.output!.outputArtifacts![0]!;
  const { Body } = await store.getObject({ Bucket: s3location!.bucket!, Key: s3location!.key! });
  expect(await Body?.transformToString()).toBe('QUIET WORDS\n');
});
