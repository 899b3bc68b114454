import { expect, test } from 'vitest';
import { setStage } from '../stage.ts';
import { refusal } from './door-bench.ts';
import { doorWorld, gate, tokenOf } from './door-world.ts';

const door = await doorWorld();

test('a key sees what its own repository declares, approves only when it may, and changes nothing of it (SEC-C-16)', async () => {
  const stage = await setStage(door.world);
  const { number, sha } = await stage.pullRequest();
  const client = await door.clientOf(stage);
  const name = `web@pr-${number}`;
  expect((await client.listPipelines()).pipelines?.map((one) => one.name)).toEqual(['web', name]);
  const result = { status: 'Approved', summary: 'let me' } as const;
  const answer = { ...gate, pipelineName: name, result, token: await tokenOf(client, name) };
  expect(await refusal(client.putApprovalResult(answer))).toMatch(
    /^AccessDeniedException: .* the gates of web@pr-\d+ are answered on GitHub. It takes a key made with --may-approve\.$/,
  );
  const { pipeline } = await client.getPipeline({ name: 'web' });
  const declared = "The pipeline 'web' is declared in its repository. Change web in .github/penstock.yml there.";
  expect(await refusal(client.updatePipeline({ pipeline }))).toBe(`ValidationException: ${declared}`);
  expect(await refusal(client.deletePipeline({ name: 'web' }))).toBe(`ValidationException: ${declared}`);
  expect(await refusal(client.createPipeline({ pipeline }))).toMatch(/^PipelineNameInUseException/);
  const overrides = { revisionType: 'COMMIT_ID', revisionValue: 'f'.repeat(40) } as const;
  const unknown = client.startPipelineExecution({
    name: 'web',
    sourceRevisions: [{ actionName: pipeline!.stages![0]!.actions![0]!.name, ...overrides }],
  });
  expect(await refusal(unknown)).toMatch(
    /ValidationException: f{40} is neither the head of main nor a commit that web ran/,
  );
  const admin = await door.clientOf(null);
  expect((await admin.listPipelines()).pipelines).toEqual([]);
  const other = await door.clientOf(await setStage(door.world));
  expect(await refusal(other.getPipelineState({ name }))).toMatch(/^PipelineNotFoundException/);

  const trusted = await door.clientOf(stage, { mayApprove: true });
  await trusted.putApprovalResult(answer);
  await door.world.settled();
  expect(stage.check(sha, 'web')).toMatch(/^completed\/success/);
});
