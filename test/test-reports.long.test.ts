import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase } from './database.ts';
import { setStage } from './stage.ts';
import { startWorld, type World } from './world.ts';

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

const config = `pipelines:
  web:
    stages:
      - name: Source
        actions:
          - name: Checkout
            actionTypeId: { category: Source, owner: AWS, provider: CodeStarSourceConnection, version: "1" }
            configuration:
              ConnectionArn: arn:aws:codeconnections:eu-west-1:111122223333:connection/6f1c8a52-7a0e-4a3e-9d0f-1c2b3a4d5e6f
              FullRepositoryId: OWNER/web
              BranchName: main
            outputArtifacts: [{ name: Src }]
      - name: Test
        actions:
          - name: Unit
            actionTypeId: { category: Test, owner: AWS, provider: CodeBuild, version: "1" }
            configuration: { ProjectName: unit }
            inputArtifacts: [{ name: Src }]
    on:
      pullRequest: [{ events: [OPEN, UPDATED], branches: { includes: [main] } }]
`;

const buildspec = `version: 0.2
phases:
  build:
    commands:
      - mkdir -p out && cp "attempt-$CODEBUILD_BUILD_NUMBER.xml" out/junit.xml
      - test "$CODEBUILD_BUILD_NUMBER" = 2
reports:
  sums:
    files: ["out/*.xml"]
`;

const failing = `<testsuite>
  <testcase name="adds" classname="sum"><failure message="expected 4">at sum (src/sum.js:2:5)</failure></testcase>
  <testcase name="subtracts" classname="sum"/><testcase name="divides" classname="sum"><skipped/></testcase>
</testsuite>`;
const passing = failing.replace(/<failure.*<\/failure>/, '');

test('counts, names of failed tests and their lines stand in the check run; what passes on attempt 2 says so', async () => {
  const stage = await setStage(world);
  await stage.commit('main', { '.github/penstock.yml': config.replace('OWNER', stage.owner) });
  await world.settled();
  const { number, sha } = await stage.pullRequest({
    'buildspec.yml': buildspec,
    'src/sum.js': 'export const sum = (a, b) =>\n  a - b;\n',
    'attempt-1.xml': failing,
    'attempt-2.xml': passing,
  });
  const run = () => world.github.checks(stage.repository, sha).find(({ name }) => name === 'web / Test');
  expect(run()?.title).toMatch(/^1 of 3 tests failed after .*: \/retry$/);
  expect(run()?.summary).toContain(
    '- ❌ `Unit` `sums`: **1 passed, 1 failed, 1 skipped**\n  - ❌ `sum.adds` (`src/sum.js:2`): expected 4\n',
  );
  expect(run()?.annotations).toEqual([
    expect.objectContaining({ path: 'src/sum.js', start_line: 2, title: 'sum.adds', message: 'expected 4' }),
  ]);
  expect(stage.check(sha, 'web')).toMatch(/1 of 3 tests failed in Test/);
  // A replica that does not hold the logs draws the same: nothing differs, so nothing is sent.
  await rename(join(world.home, 'logs'), join(world.home, 'logs-elsewhere'));
  const sent = world.github.writes().length;
  for (const { id } of await db.selectFrom('executions').select('id').execute()) {
    await world.server.deps.engine.refresh(id);
  }
  await world.settled();
  expect(world.github.writes().slice(sent)).toEqual([]);
  await rename(join(world.home, 'logs-elsewhere'), join(world.home, 'logs'));
  await stage.say(number, 'dev', '/retry');
  expect(run()?.title).toMatch(/^Succeeded on attempt 2 in .*: 2 tests passed$/);
  expect(run()?.summary).toContain('**2 passed, 1 skipped**\n  - ⚠️ `sum.adds` passed on attempt 2\n');
  const whole = world.github.checks(stage.repository, sha).find(({ name }) => name === 'web');
  expect(whole?.summary).toContain('✅ `Unit` (passed on attempt 2)');
});
