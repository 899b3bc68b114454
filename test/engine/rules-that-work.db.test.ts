import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { listRuleExecutions } from '../../src/db/rule-executions.ts';
import type { Condition } from '../../src/pipeline/definition.ts';
import type { ExecutionId } from '../../src/pipeline/execution.ts';
import { logPath } from '../../src/providers/action-log.ts';
import { openArtifactStore, type ArtifactStore } from '../../src/providers/artifact-store.ts';
import { createBackground } from '../../src/providers/background.ts';
import { codeBuild } from '../../src/providers/code-build.ts';
import { commands } from '../../src/providers/commands.ts';
import type { AnyProvider } from '../../src/providers/provider.ts';
import { availableRungs } from '../buildspec/rungs.ts';
import { testDatabase } from '../database.ts';
import { zipOf } from '../providers/zip-of.ts';
import { aCondition, aPipeline, withStage } from './a-pipeline.ts';
import { engineBench } from './engine-bench.ts';

const [isolation] = await availableRungs();
const database = await testDatabase();
const { db } = database;
const bench = await engineBench(database, (home) => {
  const artifacts = openArtifactStore(home);
  const machine = {
    home,
    isolation: isolation!,
    network: 'host',
    artifacts,
    background: createBackground(home, 2),
  } as const;
  const providers: Record<string, AnyProvider> = {
    Commands: commands(machine),
    CodeBuild: codeBuild({ ...machine, project: () => Promise.resolve(null) }, 'Build'),
    CodeStarSourceConnection: sourceOf(artifacts),
  };
  return ({ actionTypeId }) => providers[actionTypeId.provider];
});

/** Puts out a small repository. */
function sourceOf(artifacts: ArtifactStore): AnyProvider {
  return {
    type: { category: 'Source', owner: 'AWS', provider: 'CodeStarSourceConnection', version: '1' },
    configuration: z.record(z.string(), z.string()),
    artifacts: { in: [0, 0], out: [1, 1] },
    async start({ outputs: [output] }) {
      const buildspec = 'version: 0.2\nphases:\n  build:\n    commands: [cat health.txt]\n';
      if (output)
        await artifacts.put(output.location, await zipOf({ 'health.txt': 'ready\n', 'buildspec.yml': buildspec }));
      return { kind: 'succeeded', outputVariables: { BranchName: 'main' } };
    },
  };
}

const source = { provider: 'CodeStarSourceConnection', namespace: 'Source', outputArtifacts: [{ name: 'App' }] };
const plain = aPipeline({ Source: { Checkout: source }, Deploy: { Ship: {} } });
const inputArtifacts = [{ name: 'App' }];

let pullRequest = 0;

async function runWith(condition: Condition): Promise<ExecutionId> {
  pullRequest += 1;
  const definition = withStage(plain, 'Deploy', { onSuccess: { conditions: [condition] } });
  const id = await bench.start(definition, { pullRequest });
  await expect.poll(() => bench.status(id), { timeout: 20_000 }).not.toBe('InProgress');
  return id;
}

async function logOf(execution: ExecutionId): Promise<string> {
  const [row] = await listRuleExecutions(db, execution);
  return readFileSync(logPath(bench.home, execution, row!.id), 'utf8');
}

test('a Commands rule runs in the artifact that it names, kept apart as an action is, with a log of its own', async () => {
  const lines = ['test "#{Source.BranchName}" = main', 'cat health.txt'];
  const id = await runWith(aCondition('FAIL', { Smoke: { provider: 'Commands', commands: lines, inputArtifacts } }));
  expect(await bench.status(id)).toBe('Succeeded');
  const log = await logOf(id);
  expect(log).toContain('Running command test "main" = main');
  expect(log).toContain('ready\n');
  expect(log).toContain(isolation!.describe());
});

test('exit status 1 of a Commands rule fails the stage with the command named', async () => {
  const id = await runWith(
    aCondition('FAIL', { Smoke: { provider: 'Commands', commands: ['grep gone health.txt'], inputArtifacts } }),
  );
  expect(await bench.status(id)).toBe('Failed');
  const [row] = await listRuleExecutions(db, id);
  expect(row?.state).toMatchObject({ status: 'Failed', error: { code: 'JobFailed' } });
  expect(row?.state.error?.message).toContain('grep gone health.txt');
});

test('a CodeBuild rule runs the buildspec of its source', async () => {
  const build = { provider: 'CodeBuild', configuration: { ProjectName: 'health' }, inputArtifacts };
  const id = await runWith(aCondition('FAIL', { Health: build }));
  expect(await bench.status(id)).toBe('Succeeded');
  expect(await logOf(id)).toContain('ready\n');
});
