import { afterAll, beforeAll, expect, test } from 'vitest';
import { executionsOfPullRequest } from '../../src/db/executions.ts';
import { testDatabase } from '../database.ts';
import { lightRepository } from '../seeds.ts';
import { setStage, type Stage } from '../stage.ts';
import { startWorld, type World } from '../world.ts';
import { configWithGate, summary } from './people.ts';

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

const obeyed = ['eyes', 'rocket'];
const config = configWithGate('{}');

test('/hold keeps the next execution out of the stage, with its reason, until /release lets it in', async () => {
  const stage = await setStage(world, { config });
  const { number, branch } = await stage.pullRequest();
  expect((await stage.say(number, 'dev', '/hold web/Release incident 12')).reactions).toEqual(obeyed);
  const next = await stage.commit(branch, { 'README.md': 'more\n' });
  await world.settled();
  const held = () => world.github.checks(stage.repository, next).find(({ name }) => name === 'web / Release');
  expect(held()?.summary).toContain('incident 12');
  expect((await stage.say(number, 'reviewer', `/approve ${next}`)).reactions).toEqual(['eyes', '-1']);
  expect((await stage.say(number, 'dev', '/release web/Release')).reactions).toEqual(obeyed);
  expect(stage.check(next, 'web / Release')).toMatch('completed/action_required: Waiting for approval');
  expect((await stage.say(number, 'reviewer', `/approve ${next}`)).reactions).toEqual(obeyed);
});

test('what waits behind an earlier execution says so, /why tells of the gate of that one, and a rejection stays in its story', async () => {
  const stage = await setStage(world, { config });
  const { number, sha } = await stage.pullRequest();
  await stage.say(number, 'dev', '/rerun');
  expect(stage.check(sha, 'web / Release')).toBe(`queued: Waiting to enter Release behind ${sha.slice(0, 7)}`);
  expect(summary(world, stage, sha)).toContain('`Release` is taken by another execution of this commit.');
  const why = await stage.say(number, 'reader', '/why');
  expect(why.reply).toContain(`Could approve: \`reviewer-${stage.owner}\``);
  expect((await stage.say(number, 'reader', '/why web/Release/Publish')).reply).not.toContain('Could approve');
  await stage.say(number, 'reviewer', '/reject Release not this one');
  expect(stage.check(sha, 'web / Release')).toBe(
    'completed/action_required: Waiting for approval: comment /approve Release',
  );
  await stage.say(number, 'reviewer', '/reject Release nor this one');
  await stage.say(number, 'dev', '/retry');
  const story = new RegExp(
    `Release/Approve\` \\| 1 \\| Failed \\|[^\n]*\\| rejected by reviewer-${stage.owner.slice(0, 6)}[^\n]*: nor this one`,
  );
  expect(summary(world, stage, sha)).toMatch(story);
});

test('a stage that several pipelines have is not guessed, and one that none has is refused (SEC-A-10)', async () => {
  const second = '  docs:\n    definition: ci/web.pipeline.json\n    on: { pullRequest: [{}] }\n';
  const stage = await setStage(world, { config: `${config}${second}` });
  const { number, sha } = await stage.pullRequest();
  const gates = `/approve docs/Release/Approve ${sha}\`, \`/approve web/Release/Approve ${sha}`;
  for (const [said, told] of [
    ['/approve', `Several gates wait. Copy one of these: \`${gates}`],
    [`/approve Release ${sha}`, 'Several gates wait'],
    ['/hold Release why', 'Several pipelines have `Release`'],
    ['/hold web why', 'stage'],
    ['/hold web/Release', 'reason is missing'],
    ['/rollback Nowhere', 'Nowhere'],
  ] as const) {
    const { reactions, reply } = await stage.say(number, 'dev', said);
    expect([said, reactions.includes('rocket'), reply]).toEqual([said, false, expect.stringMatching(told)]);
  }
});

test('/rollback puts back what the execution before had there, or the one that is named, and nothing else', async () => {
  const stage = await setStage(world, { config });
  const { number } = await stage.pullRequest();
  const none = await stage.say(number, 'dev', '/rollback web/Test');
  expect(none.reply).toContain('No earlier execution of `web` succeeded in `Test`.');
  await stage.say(number, 'dev', '/rerun web');
  await stage.say(number, 'dev', '/rerun web');
  const made = await ran(stage, number);
  const [third, second, first] = made.map(({ id }) => id);
  expect((await stage.say(number, 'dev', '/rollback web/Release')).reply).toContain('No earlier execution');
  expect((await stage.say(number, 'dev', '/rollback web/Test ffffffff')).reply).toContain(
    'succeeded in `Test` with an id that begins with `ffffffff`.',
  );
  expect((await stage.say(number, 'dev', '/rollback web/Test')).reactions).toEqual(obeyed);
  expect((await stage.say(number, 'dev', `/rollback web/Test ${first?.slice(0, 8)}`)).reactions).toEqual(obeyed);
  const back = (await ran(stage, number)).filter(({ type }) => type === 'ROLLBACK');
  expect(back.map(({ rollbackTarget }) => rollbackTarget)).toEqual([first, second]);
  // What a rollback made is not gone back to; the newest of those before it is.
  expect((await stage.say(number, 'dev', '/rollback web/Test')).reactions).toEqual(obeyed);
  expect((await ran(stage, number))[0]?.rollbackTarget).toBe(third);
});

test.each([
  ['beforeEntry', 'entry'],
  ['onSuccess', 'success'],
] as const)('/override goes on past a condition %s that was not met, named or not', async (kind, word) => {
  const stage = await setStage(world, { config });
  const rule = {
    name: 'Level',
    ruleTypeId: { category: 'Rule', owner: 'AWS', provider: 'VariableCheck', version: '1' },
    configuration: { Variable: '#{variables.LEVEL}', Value: 'full', Operator: 'EQ' },
  };
  const file = lightRepository(stage.owner)['ci/web.pipeline.json']!;
  const declaration = JSON.parse(file) as { pipeline: { stages: Record<string, unknown>[] } };
  declaration.pipeline.stages[1]![kind] = { conditions: [{ result: 'FAIL', rules: [rule] }] };
  await stage.commit('main', { 'ci/web.pipeline.json': JSON.stringify(declaration) });
  await world.settled();
  const { number, sha } = await stage.pullRequest();
  const failed = () => expect(stage.check(sha, 'web / Test')).toMatch(/^completed\/failure/);
  const wrong = word === 'entry' ? 'success' : 'entry';
  failed();
  const other = await stage.say(number, 'dev', `/override web/Test ${wrong}`);
  expect([other.reactions, other.reply]).toEqual([['eyes', '-1'], expect.stringContaining('has no')]);
  expect((await stage.say(number, 'reader', '/override web/Test')).reactions).toEqual(['eyes', '-1']);
  failed();
  expect((await stage.say(number, 'dev', '/override web/Test because')).reactions).toEqual(obeyed);
  expect(stage.check(sha, 'web / Test')).toMatch(/^completed\/success/);
  expect(stage.check(sha, 'web / Release')).toMatch('Waiting for approval');
  await stage.say(number, 'dev', '/rerun web');
  failed();
  expect((await stage.say(number, 'dev', `/override web/Test ${word}`)).reactions).toEqual(obeyed);
  expect(stage.check(sha, 'web / Test')).toMatch(/^completed\/success/);
});

async function ran(stage: Stage, number: number) {
  const known = db.selectFrom('repositories').select('id').where('owner', '=', stage.owner);
  const { id } = await known.executeTakeFirstOrThrow();
  return (await executionsOfPullRequest(db, id, number)).map(({ execution }) => execution);
}
