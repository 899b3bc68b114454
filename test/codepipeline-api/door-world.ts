import { CodePipeline } from '@aws-sdk/client-codepipeline';
import { afterAll, beforeAll } from 'vitest';
import { keysOfProcess } from '../../src/codepipeline-api/key-socket.ts';
import { defaultServerConfig } from '../../src/config/server.ts';
import { testDatabase } from '../database.ts';
import type { Stage } from '../stage.ts';
import { startWorld, type World } from '../world.ts';

/** The product with the door inside, as `penstock serve` has it when it is switched on. */
export interface DoorWorld {
  readonly world: World;
  /** Of a repository, or null for an admin key. */
  clientOf(stage: Stage | null, may?: { readOnly?: boolean; mayApprove?: boolean }): Promise<CodePipeline>;
}

/** To be called once at the top of a test file. */
export async function doorWorld(): Promise<DoorWorld> {
  const { open } = await testDatabase();
  const started: { world?: World } = {};
  const clients: CodePipeline[] = [];
  const running = (): World => started.world!;
  beforeAll(async () => {
    started.world = await startWorld({ database: open, server: { api: { ...defaultServerConfig.api, port: 0 } } });
  });
  afterAll(async () => {
    for (const client of clients) client.destroy();
    await started.world?.stop();
  });
  return {
    get world() {
      return running();
    },
    clientOf: async (stage, may = {}) => {
      const keys = await keysOfProcess(running().home);
      const key = { repository: stage?.repository ?? null, readOnly: false, mayApprove: false, ...may };
      const credentials = await keys!.create(key);
      const endpoint = running().server.apiUrl!;
      const client = new CodePipeline({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
      clients.push(client);
      return client;
    },
  };
}

export const gate = { stageName: 'Release', actionName: 'Approve' } as const;

/** With which the gate of the pipeline is answered. */
export async function tokenOf(client: CodePipeline, name: string): Promise<string> {
  const { stageStates } = await client.getPipelineState({ name });
  const action = stageStates?.find((one) => one.stageName === 'Release')?.actionStates?.[0];
  return action?.latestExecution?.token ?? 'none';
}
