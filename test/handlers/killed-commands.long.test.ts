import { afterAll, beforeAll, expect, test } from 'vitest';
import { executionsOfPullRequest } from '../../src/db/executions.ts';
import { claimCommand, commandBySource, rememberAsked } from '../../src/db/human-commands.ts';
import { TransientError } from '../../src/errors.ts';
import { testDatabase } from '../database.ts';
import { setStage, type Stage } from '../stage.ts';
import { startWorld, type World } from '../world.ts';
import { addPerson, configWithGate, forkPullRequest } from './people.ts';

/** The process ends right after the engine did what somebody asked, and the delivery is worked on again. */

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

const config = configWithGate('{ count: 1 }');
const obeyed = ['eyes', 'rocket'];

async function dying<T>(say: () => Promise<T>, atDeath: () => Promise<void> = () => Promise.resolve()): Promise<T> {
  const { deps } = world.server;
  const alive = deps.engine;
  let deaths = 0;
  const die = async <A>(did: Promise<A>): Promise<A> => {
    const answer = await did;
    deaths += 1;
    if (deaths > 1) return answer;
    await atDeath();
    throw new TransientError('killed', { retryAfterMs: 1 });
  };
  Object.assign(deps, {
    engine: {
      ...alive,
      start: (request) => die(alive.start(request)),
      obey: (command, by, along) => die(alive.obey(command, by, along)),
    } satisfies typeof alive,
  });
  try {
    return await say();
  } finally {
    Object.assign(deps, { engine: alive });
    expect(deaths).toBeGreaterThan(0);
  }
}

async function sayDying(stage: Stage, number: number, login: string, body: string): Promise<readonly string[]> {
  return (await dying(() => stage.say(number, login, body))).reactions;
}

async function ran(stage: Stage, number: number) {
  const known = db.selectFrom('repositories').select('id').where('owner', '=', stage.owner);
  const { id } = await known.executeTakeFirstOrThrow();
  return (await executionsOfPullRequest(db, id, number)).map(({ execution }) => execution);
}

test('/retry, /approve, /rerun and /stop took effect once, and are answered as done', async () => {
  const stage = await setStage(world, { config });
  const { number, sha, branch } = await stage.pullRequest({ 'run.sh': 'exit 1\n' });
  expect(await sayDying(stage, number, 'dev', '/retry')).toEqual(obeyed);
  expect((await ran(stage, number))[0]?.stages[1]?.actions[0]).toMatchObject({ attempt: 2, status: 'Failed' });
  expect(stage.check(sha, 'web')).toMatch(/^completed\/failure/);
  const fixed = await stage.commit(branch, { 'run.sh': 'echo fine\n' });
  await world.settled();
  expect(await sayDying(stage, number, 'reviewer', `/approve ${fixed}`)).toEqual(obeyed);
  expect(stage.check(fixed, 'web')).toMatch(/^completed\/success/);
  const before = (await ran(stage, number)).length;
  expect(await sayDying(stage, number, 'dev', '/rerun web')).toEqual(obeyed);
  expect(await ran(stage, number)).toHaveLength(before + 1);
  expect(await sayDying(stage, number, 'dev', '/stop abandon')).toEqual(obeyed);
  expect(stage.check(fixed, 'web')).toMatch(/^completed\/cancelled/);
  // Each is told of once, in the transaction that did it.
  expect(await told(`dev-${stage.owner}`)).toEqual([
    'command-retry: done',
    'command-rerun: done',
    'command-stop: done',
  ]);
  expect(await told(`reviewer-${stage.owner}`)).toEqual(['command-approve: done']);
});

/** What the audit says of the commands of a person. */
async function told(login: string): Promise<readonly string[]> {
  const rows = db
    .selectFrom('audit')
    .select(['what', 'why'])
    .where('who', '=', login)
    .where('what', 'like', 'command-%');
  return (await rows.orderBy('id').execute()).map(({ what, why }) => `${what}: ${why}`);
}

test('/hold is not done again over a release in between', async () => {
  const stage = await setStage(world, { config });
  const { number } = await stage.pullRequest();
  const { deps } = world.server;
  const alive = deps.engine;
  // Somebody opens the stage before the delivery is tried again.
  const obey: typeof alive.obey = async (command, by, along) => {
    await alive.obey(command, by, along);
    Object.assign(deps, { engine: alive });
    if (command.kind !== 'disable-transition') throw new Error(`unexpected: ${command.kind}`);
    const { lane, stage: name, transition } = command;
    await alive.obey({ kind: 'enable-transition', lane, stage: name, transition }, by);
    throw new TransientError('killed', { retryAfterMs: 1 });
  };
  Object.assign(deps, { engine: { ...alive, obey } });
  expect((await stage.say(number, 'dev', '/hold web/Release incident 12')).reactions).toEqual(obeyed);
  expect(await isOpen(stage)).toBe(true);
});

test('/approve whose gate somebody else answered before its second try is told so, and takes no other gate', async () => {
  const stage = await setStage(world, { config });
  const other = { kind: 'person', ...addPerson(world, stage, 'other') } as const;
  const { number } = await stage.pullRequest();
  const { deps } = world.server;
  const alive = deps.engine;
  const obey: typeof alive.obey = async (command, by) => {
    Object.assign(deps, { engine: alive });
    if (command.kind !== 'approve') throw new Error(`unexpected: ${command.kind}, ${by.kind}`);
    await alive.obey({ ...command, kind: 'reject' }, { kind: 'person', id: other.id, login: other.login });
    throw new TransientError('killed', { retryAfterMs: 1 });
  };
  Object.assign(deps, { engine: { ...alive, obey } });
  const said = await stage.say(number, 'reviewer', '/approve');
  expect(said.reactions).toEqual(['eyes', '-1']);
  expect(said.reply).toContain(`Too late: \`Release/Approve\` was rejected by \`${other.login}\``);
});

async function isOpen({ owner }: Stage): Promise<boolean> {
  const lanes = db.selectFrom('lanes').innerJoin('repositories', 'repositories.id', 'lanes.repository_id');
  const { stages } = await lanes.select('stages').where('owner', '=', owner).executeTakeFirstOrThrow();
  return stages['Release']?.inboundTransition?.enabled !== false;
}

test('a press of a button ends as done, although its check is another one by now', async () => {
  const stage = await setStage(world, { config });
  const { sha } = await stage.pullRequest();
  const press = { checkName: 'web / Release', sha, identifier: 'approve', login: `reviewer-${stage.owner}` };
  const reviewer = `reviewer-${stage.owner}`;
  const click = async () => {
    await world.github.clickButton(stage.repository, press);
    await world.settled();
  };
  await dying(click, async () => expect(await told(reviewer)).toEqual(['command-approve: done']));
  expect(stage.check(sha, 'web')).toMatch(/^completed\/success/);
  const commands = db.selectFrom('human_commands').select(['text', 'outcome']);
  const mine = await commands.where('login', '=', `reviewer-${stage.owner}`).execute();
  expect(mine).toEqual([{ text: '[approve]', outcome: 'rocket' }]);
  expect(await told(`reviewer-${stage.owner}`)).toEqual(['command-approve: done']);
});

test('a press whose end was cut off after the answer of an engine that is not ours is told of when it ends', async () => {
  const stage = await setStage(world, { config });
  const { sha } = await stage.pullRequest();
  const login = addPerson(world, stage, 'other').login;
  const { id: personId } = world.github.createAccount({ login });
  const run = world.github.checks(stage.repository, sha).find(({ name }) => name === 'web / Release');
  const known = db.selectFrom('repositories').select('id').where('owner', '=', stage.owner);
  const { id: repositoryId } = await known.executeTakeFirstOrThrow();
  const source = `button/${run?.id}/approve/${personId}`;
  await claimCommand(db, { source, repositoryId, pullRequest: 1, personId, login, text: '[approve]' });
  const line = JSON.stringify({ verb: 'approve', target: { pipeline: 'web' }, reason: '' });
  const [{ lane, id: execution } = expect.fail('nothing ran')] = await ran(stage, 1);
  const command = {
    kind: 'approve',
    lane,
    execution,
    stage: 'Release',
    action: 'Approve',
    token: 't',
    summary: '',
  } as const;
  await rememberAsked(db, source, { key: 'k', line, command, obeyed: { outcome: 'done' } });
  await world.github.clickButton(stage.repository, { checkName: 'web / Release', sha, identifier: 'approve', login });
  await world.settled();
  expect(await told(login)).toEqual(['command-approve: done']);
  expect((await commandBySource(db, source))?.outcome).toBe('rocket');
});

test('/ok-to-test starts once, and is answered as done', async () => {
  const stage = await setStage(world, { config });
  const { number, sha } = await forkPullRequest(world, stage);
  expect(await sayDying(stage, number, 'reviewer', `/ok-to-test ${sha}`)).toEqual(obeyed);
  expect(await ran(stage, number)).toHaveLength(1);
});
