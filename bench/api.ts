// Requests per second of the CodePipeline API beside the same work asked for in process, at 1 and 16 callers, and what
// a request adds: signature, key, shapes, HTTP and JSON. On the embedded database and then on the Postgres of the tests,
// which writes without fsync. Prints one line of JSON for each.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import { makeApiKey } from '../src/codepipeline-api/authenticate.ts';
import { createKeyCache } from '../src/codepipeline-api/key-cache.ts';
import type { Call, Door } from '../src/codepipeline-api/door.ts';
import { operations } from '../src/codepipeline-api/operations.ts';
import { openServerSecret } from '../src/codepipeline-api/server-secret.ts';
import { serveDoor } from '../src/codepipeline-api/serve-door.ts';
import { adminScope } from '../src/db/api-pipelines.ts';
import { createEmbeddedEngine } from '../src/engine/embedded/embedded-engine.ts';
import { openArtifactStore } from '../src/providers/artifact-store.ts';
import type { OpenDatabase } from '../src/db/open.ts';
import { onBothEngines, percentile } from './database.ts';

const count = Number(process.env['BENCH_COUNT'] ?? 600);

/** A pipeline of ten actions in three stages; nobody works on it, so that only the asking is measured. */
const name = 'bench';
const action = (n: number, more: object) => ({ name: `Action${n}`, ...more });
const build = {
  actionTypeId: { category: 'Build', owner: 'AWS', provider: 'CodeBuild', version: '1' },
  configuration: { ProjectName: 'unit' },
  inputArtifacts: [{ name: 'App' }],
};
const source = {
  actionTypeId: { category: 'Source', owner: 'AWS', provider: 'S3', version: '1' },
  configuration: { S3Bucket: 'sources', S3ObjectKey: 'app.zip' },
  outputArtifacts: [{ name: 'App' }],
};
const stages = [
  { name: 'Source', actions: [action(0, source)] },
  { name: 'Build', actions: [1, 2, 3, 4, 5].map((n) => action(n, build)) },
  { name: 'Test', actions: [6, 7, 8, 9].map((n) => action(n, build)) },
];
const artifactStore = { type: 'S3', location: 'artifacts' };
const pipeline = { name, roleArn: 'arn:aws:iam::000000000000:role/p', artifactStore, stages };

async function openDoor(db: OpenDatabase['db'], home: string, address: { url: string }): Promise<Door> {
  const now = (): Date => new Date();
  const secret = await openServerSecret(home);
  return {
    db,
    engine: createEmbeddedEngine({ db, host: 'bench', now }),
    artifacts: openArtifactStore(home),
    secret,
    keys: createKeyCache(db, secret),
    log: pino({ level: 'silent' }),
    now,
    account: '000000000000',
    region: 'eu-west-1',
    url: () => address.url,
    uploads: join(home, 'uploads'),
  };
}

interface Measured {
  readonly seconds: number;
  readonly waits: readonly number[];
}

type Ask = (operation: string, callers: number) => Promise<Measured>;

function overHttp(callers: Worker): Ask {
  return async (operation, at) => {
    callers.postMessage({ operation, body: JSON.stringify({ name }), callers: at, count });
    const [measured] = (await once(callers, 'message')) as [Measured];
    return measured;
  };
}

function inProcess(call: Call): Ask {
  return async (operation, at) => {
    const waits: number[] = [];
    let left = count;
    const caller = async (): Promise<void> => {
      while (left-- > 0) {
        const asked = performance.now();
        await operations[operation]!.run(call, { name } as never);
        waits.push(performance.now() - asked);
      }
    };
    const started = performance.now();
    await Promise.all(Array.from({ length: at }, caller));
    return { seconds: (performance.now() - started) / 1000, waits };
  };
}

async function compare(operation: string, at: number, sides: { readonly direct: Ask; readonly http: Ask }) {
  const direct = await sides.direct(operation, at);
  const http = await sides.http(operation, at);
  const [directMs, httpMs] = [percentile(direct.waits, 0.5), percentile(http.waits, 0.5)];
  return {
    operation,
    callers: at,
    perSecond: Math.round(count / http.seconds),
    inProcessPerSecond: Math.round(count / direct.seconds),
    p50Ms: httpMs,
    inProcessP50Ms: directMs,
    addedP50Ms: Math.round((httpMs - directMs) * 10) / 10,
    p95Ms: percentile(http.waits, 0.95),
  };
}

async function measure({ db, engine }: OpenDatabase): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'penstock-bench-api-'));
  const address = { url: '' };
  const door = await openDoor(db, home, address);
  const rate = { perSecond: 1e9, burst: 1e9 };
  const listening = await serveDoor(door, { host: '127.0.0.1', port: 0, rate });
  address.url = listening.url;
  const credentials = await makeApiKey(door, { repositoryId: null, readOnly: false, mayApprove: false });
  const callers = new Worker(new URL('./api-callers.ts', import.meta.url), {
    workerData: { url: listening.url, credentials },
  });
  const call = { door, caller: { arn: 'arn:bench', scope: adminScope, readOnly: false, mayApprove: false } };
  await operations['CreatePipeline']!.run(call, { pipeline } as never);
  const sides = { direct: inProcess(call), http: overHttp(callers) };
  const results = [];
  for (const operation of ['GetPipelineState', 'StartPipelineExecution']) {
    // The first round warms both sides.
    await sides.direct(operation, 4);
    await sides.http(operation, 4);
    for (const at of [1, 16]) results.push(await compare(operation, at, sides));
  }
  console.log(JSON.stringify({ bench: 'api', engine, requests: count, results }));
  await callers.terminate();
  await listening.stop();
  await rm(home, { recursive: true, force: true });
}

await onBothEngines(measure);
