import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-codepipeline';
import { sql } from 'kysely';
import { logPath } from '../../src/providers/action-log.ts';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import { createProviders, findProvider } from '../../src/providers/registry.ts';
import { unzip } from '../../src/providers/zip.ts';
import { rung, temporaryDirectory } from '../buildspec/rungs.ts';
import { testDatabase } from '../database.ts';
import { zipOf } from '../providers/zip-of.ts';
import type { CallWorld, Send } from './call-scenario.ts';
import { doorBench, type DoorBench } from './door-bench.ts';
import { rawCall } from './signed-fetch.ts';

export interface CallBench {
  readonly bench: DoorBench;
  readonly world: CallWorld;
  putObjects(objects: Objects): Promise<void>;
}

/** Archives by `bucket/key`, each its files by name. */
export type Objects = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The door before the embedded engine with the providers that it has, for `test/pipeline/scenarios/calls`. */
export async function callWorld(makeSend: (bench: DoorBench) => Send = sdkSend): Promise<CallBench> {
  const database = await testDatabase();
  const isolation = await rung('process');
  if (!isolation) throw new Error('builds cannot run here');
  const unpacked = await temporaryDirectory();
  const bench = await doorBench(database, (home) => {
    const fetchAccess = () => Promise.reject(new Error('there is no GitHub here'));
    const artifacts = openArtifactStore(home);
    const providers = createProviders({ home, isolation, artifacts, fetchAccess, maxConcurrentActions: 4 });
    return ({ actionTypeId }) => findProvider(providers, actionTypeId);
  });
  const { engine, url, admin, clock } = bench;
  // Scenarios say when time passes, however slow the machine is.
  Object.assign(bench.door, { continuationDelayMs: 60_000 });
  const artifacts = openArtifactStore(engine.home);
  const world: CallWorld = {
    send: makeSend(bench),
    sendRaw: async (operation, secretAccessKey = admin.secretAccessKey) => {
      const { status, error } = await rawCall(url, operation, '{}', { ...admin, secretAccessKey });
      return `${status} ${error}`;
    },
    settled: () => engine.settled(),
    pass: async (seconds) => {
      clock.aheadMs += seconds * 1000;
      engine.shiftMs += seconds * 1000;
      const later = sql`make_interval(secs => ${seconds})`;
      await sql`update worker_jobs set dispatched_at = dispatched_at - ${later}, available_at = available_at - ${later}`.execute(
        database.db,
      );
    },
    logOf: async (execution, action) => {
      const text = await readFile(logPath(engine.home, execution, action), 'utf8');
      // What stands before the phases tells of this machine.
      const phases = text.slice(text.indexOf('Entering phase') - '[Container] 2026/01/01 00:00:00.000000 '.length);
      return phases.replaceAll(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} /g, '').replaceAll(/ +$|, \d+ bytes$/gm, '');
    },
    filesAt: async (bucket, key) => {
      const found = await artifacts.get({ bucket, key });
      if (!found) return {};
      const directory = join(unpacked, key.replaceAll('/', '-'));
      await mkdir(directory);
      await unzip({ file: found.file }, directory);
      const names = await readdir(directory, { recursive: true });
      return Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, (await readFile(join(directory, name), 'utf8')).trim()])),
      ) as Record<string, string>;
    },
  };
  const store = bench.storeOf(admin);
  const putObjects: CallBench['putObjects'] = async (objects) => {
    for (const [place, files] of Object.entries(objects)) {
      const [, Bucket = '', Key = ''] = /^([^/]+)\/(.+)$/.exec(place) ?? [];
      await store.putObject({ Bucket, Key, Body: await zipOf(files) });
    }
  };
  return { bench, world, putObjects };
}

function sdkSend({ client }: DoorBench): Send {
  return async (operation, input) => {
    const Command = (sdk as unknown as Record<string, new (input: object) => sdk.ListPipelinesCommand>)[
      `${operation}Command`
    ];
    if (!Command) throw new Error(`the SDK has no ${operation}`);
    try {
      const { $metadata: _, ...answer } = await client.send(new Command(input));
      return answer;
    } catch (error) {
      if (!(error instanceof sdk.CodePipelineServiceException)) throw error;
      throw new Error(`${error.name}: ${error.message}`, { cause: error });
    }
  };
}
