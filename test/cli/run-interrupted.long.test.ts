import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { processesWith, startPenstock } from './run-command.ts';
import { commands, runProject } from './run-project.ts';

const { folder, env, declare, run } = runProject();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('Ctrl-C ends what runs and leaves no process; meanwhile a second run in the same home is told to wait', async () => {
  const seconds = `86${process.pid}`;
  const file = declare(
    'slow.yml',
    commands('slow', [`sleep ${seconds} & trap "" TERM; echo asleep; sleep ${seconds}`]),
  );
  const running = startPenstock(['run', file, '--source', 'tree'], env, folder);
  await running.printed(/\| asleep/);
  expect(processesWith(`sleep\0${seconds}`).length).toBeGreaterThan(0);

  const second = await run([file]);
  expect([second.code, second.err]).toEqual([
    1,
    expect.stringMatching(/^Another penstock run is going on here\..*PENSTOCK_HOME/),
  ]);

  const gone = once(running.child, 'exit');
  running.child.kill('SIGINT');
  expect(await gone).toEqual([130, null]);
  expect((await running.stop()).all).toMatch(/■ words: Stopped in .*\n/);
  expect(processesWith(`sleep\0${seconds}`)).toEqual([]);
});
