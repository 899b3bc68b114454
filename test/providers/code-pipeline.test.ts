import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { codePipeline, type PipelineCall } from '../../src/providers/code-pipeline.ts';
import { anAction } from './action.ts';
import { describeProviderContract } from './contract.ts';

const home = mkdtempSync(join(tmpdir(), 'penstock-call-'));
afterAll(() => rm(home, { recursive: true, force: true }));

const calls = new Map<string, PipelineCall>();
const provider = () =>
  codePipeline((call) => {
    calls.set(call.actionExecution, call);
    return Promise.resolve({ kind: 'started', execution: 'e-1' });
  });
const action = (change = {}) => {
  const made = provider();
  const given = anAction(home, made, { configuration: { PipelineName: 'next' }, ...change });
  return { ...given, configuration: made.configuration.parse(given.declaration.configuration) };
};

describeProviderContract('CodePipeline', {
  home,
  provider,
  succeeding: () => Promise.resolve(action()),
  timesDone: ({ actionExecution }) => (calls.has(actionExecution) ? 1 : 0),
  ends: 'succeeded',
});

test('code of a fork starts nothing', async () => {
  const forked = action({ trust: 'fork' });
  expect(await provider().start(forked)).toMatchObject({
    kind: 'failed',
    error: {
      code: 'ConfigurationError',
      message: "Code of a fork starts no other pipeline, so 'next' was not started.",
    },
  });
  expect(calls.has(forked.actionExecution)).toBe(false);
});

test('where one pipeline runs by itself, the reason says how to start the other one', async () => {
  expect(await codePipeline(undefined).start(action())).toMatchObject({
    kind: 'failed',
    error: { message: "This run has one pipeline, and 'next' is another. Start it by itself with penstock run." },
  });
});
