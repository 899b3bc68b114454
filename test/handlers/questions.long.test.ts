import { afterAll, beforeAll, expect, test } from 'vitest';
import { handleHumanText } from '../../src/handlers/human-text.ts';
import { testDatabase } from '../database.ts';
import { setStage, type Stage } from '../stage.ts';
import { startWorld, type World } from '../world.ts';
import { addPerson, configWithGate, forkPullRequest, replies } from './people.ts';

const { open } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

test('/plan tells what starts and who passes, and of a changed configuration what would hold after the merge', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 1 }') });
  const { number, sha } = await stage.pullRequest({
    '.github/penstock.yml': configWithGate('{ count: 3 }').replace('[main, next]', '[next]'),
  });
  const { reply } = await stage.say(number, 'dev', '/plan');
  expect(reply).toMatch(/\*\*web\*\* ▶️ starts/);
  expect(reply).toContain('your approval would not count: an author does not count for their own change');
  expect(reply).toContain('until then the base branch decides');
  expect(reply).toMatch(/After the merge: it does not start[^]*needs 3 people with write access/);
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required: Waiting for approval/);
});

test('/plan knows teams, and tells of a configuration that is broken, removed or new', async () => {
  const stage = await setStage(world);
  addPerson(world, stage, 'member');
  const team = { organization: stage.owner, slug: 'release', members: [`member-${stage.owner}`] };
  world.github.createTeam(team);
  await stage.commit('main', {
    '.github/penstock.yml': configWithGate(`{ from: { teams: [${stage.owner}/release] } }`),
  });
  await world.settled();
  const { number } = await stage.pullRequest({ '.github/penstock.yml': 'pipelines: []\n' });
  const outsider = (await stage.say(number, 'reviewer', '/plan')).reply;
  expect(outsider).toContain(`needs 1 member of team \`${stage.owner}/release\` with write access; your approval`);
  expect(outsider).toContain(`would not count: only members of team \`${stage.owner}/release\` count`);
  expect(outsider).toMatch(/configuration in this pull request cannot be used: .*\.github\/penstock\.yml:1:/);
  expect((await stage.say(number, 'member', '/plan')).reply).toContain('; your approval would count');
  await stage.commit('feature-1', { '.github/penstock.yml': null });
  await world.settled();
  expect((await stage.say(number, 'dev', '/plan')).reply).toContain('After the merge: it is removed');
  await stage.commit('main', { '.github/penstock.yml': null });
  const fresh = await stage.pullRequest({ '.github/penstock.yml': configWithGate('{ count: 1 }') });
  const { reply } = await stage.say(fresh.number, 'dev', '/plan');
  expect(reply).toMatch(/\*\*web\*\* ⏭️ does not start: it is not on the base branch\n- After the merge: it starts/);
});

test('/help knows pipelines that never ran and how commands are written here', async () => {
  const config = `${configWithGate('{ count: 1 }').replace('[main, next]', '[next]')}commands: { bare: false }\n`;
  const stage = await setStage(world, { config });
  const { number } = await stage.pullRequest();
  expect(await stage.say(number, 'dev', '/help')).toEqual({ reactions: [], reply: undefined });
  const { reply } = await stage.say(number, 'dev', '/penstock help');
  expect(reply).toContain('`/penstock run [pipeline] [VARIABLE=value ...]`');
  expect(reply).toMatch(/- `web`: `Source` → /);
});

test('/why names who is missing, and /help only what this person may do', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 2 }') });
  const { number, sha } = await stage.pullRequest();
  const why = await stage.say(number, 'reader', '/why');
  expect(why.reply).toContain('0 of 2 approvals');
  expect(why.reply).toContain(`Could approve: \`reviewer-${stage.owner}\``);
  expect(why.reply).toContain(`approve web/Release/Approve ${sha}`);
  // A stage without a gate that waits: where everything stands, and nothing of the gates elsewhere.
  const elsewhere = (await stage.say(number, 'reader', '/why web/Test')).reply;
  expect(elsewhere).toContain('**web** at');
  expect(elsewhere).not.toContain('of 2 approvals**');
  const help = await stage.say(number, 'reader', '/help');
  expect(help.reply).toContain('/status');
  expect(help.reply).not.toContain('/rollback');
  const verbsFor = async (login: string) => {
    const { reply = '' } = await stage.say(number, login, '/help');
    return { reply, verbs: [...reply.matchAll(/^\| `\/([a-z-]+)/gm)].map(([, verb]) => verb) };
  };
  const author = await verbsFor('dev');
  expect(author.verbs).toEqual(expect.arrayContaining(['reject', 'retry', 'run', 'hold', 'help']));
  expect(author.verbs).not.toContain('approve');
  expect(author.reply).toContain('`Release/Approve` needs 2 people with write access; your approval would not count');
  const reviewer = await verbsFor('reviewer');
  expect(reviewer.verbs).toContain('approve');
  expect(reviewer.verbs).not.toContain('ok-to-test');
  await world.github.closePullRequest(stage.repository, number, `dev-${stage.owner}`);
  await world.settled();
  expect((await verbsFor('reviewer')).verbs).toEqual(['status', 'why', 'plan', 'help']);
  expect((await stage.say(number, 'reviewer', '/plan')).reply).toContain('The pull request is closed');
});

test('/help on a fork knows what may be done for one', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 1 }') });
  const { number, outsider } = await forkPullRequest(world, stage);
  world.github.setPermission(stage.repository, outsider, 'read');
  const { reply: reader = '' } = await stage.say(number, 'outsider', '/help');
  expect([...reader.matchAll(/^\| `\/([a-z-]+)/gm)].map(([, verb]) => verb)).toEqual(['status', 'why', 'plan', 'help']);
  const { reply } = await stage.say(number, 'reviewer', '/help');
  expect(reply).toMatch(/^\| `\/ok-to-test/m);
  expect(reply).not.toMatch(/^\| `\/run/m);
});

test('a repository that asks for it gets one status comment, edited in place, that mentions nobody', async () => {
  const second = '  docs:\n    definition: ci/web.pipeline.json\n    on: { pullRequest: [{}] }\n';
  const config = `${configWithGate('{ count: 1 }')}${second}statusComment: true\n`;
  const stage = await setStage(world, { config });
  const { number, sha } = await stage.pullRequest();
  const [first, ...more] = replies(world, stage, number);
  expect(more).toEqual([]);
  expect(first).toMatch(/\*\*docs\*\* at `\w{7}`: Waiting for approval/);
  expect(first).toMatch(/\*\*web\*\* at `\w{7}`: Waiting for approval[^]*- ✋ Waiting for approval: `Release`/);
  await stage.say(number, 'reviewer', `/approve web/Release ${sha} for @all`);
  expect(stage.check(sha, 'web')).toMatch(/^completed\/success/);
  const [edited, ...others] = replies(world, stage, number);
  expect(others).toEqual([]);
  expect(edited).toMatch(/\*\*web\*\* at `\w{7}`: Succeeded/);
  expect(edited).not.toMatch(/@[a-z]|^\s*\//m);
});

/** Commands of that person in the last ten minutes that nobody has to wait for. */
async function gaveCommands(stage: Stage, login: string, count: number): Promise<void> {
  const { id } = await open.db
    .selectFrom('repositories')
    .select('id')
    .where('owner', '=', stage.owner)
    .executeTakeFirstOrThrow();
  const person = world.github.createAccount({ login });
  const before = Array.from({ length: count }, (_, index) => ({
    source: `issue-comment/${login}-${index}`,
    repository_id: id,
    pull_request: 1,
    person_id: person.id,
    login,
    text: '/retry',
    outcome: '-1',
    answer: '',
    claimer: null,
  }));
  await open.db.insertInto('human_commands').values(before).execute();
}

test('whoever hammers commands is told once and then left without an answer for a while (SEC-G-01)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 1 }') });
  const { number } = await stage.pullRequest();
  await gaveCommands(stage, `dev-${stage.owner}`, 29);
  expect((await stage.say(number, 'dev', '/status')).reactions).toEqual(['eyes', '+1']);
  const told = await stage.say(number, 'dev', '/retry');
  expect(told.reply).toContain('More than 30 commands in 10 minutes');
  expect(await stage.say(number, 'dev', '/retry')).toEqual({ reactions: [], reply: undefined });
  expect(await stage.say(number, 'dev', '/status')).toEqual({ reactions: [], reply: undefined });
  expect((await stage.say(number, 'reviewer', '/status')).reactions).toEqual(['eyes', '+1']);
});

test('people without rights are refused in words once, and cost ever less (SEC-G-02)', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 1 }') });
  const { number } = await stage.pullRequest();
  const reader = `reader-${stage.owner}`;
  const asked: string[] = [];
  const stopListening = world.github.onExchange(({ method, path }) => void asked.push(`${method} ${path}`));
  const lookUps = () => asked.filter((path) => path.endsWith(`/collaborators/${reader}/permission`)).length;

  const quiet = { reactions: ['eyes', '-1'], reply: undefined };
  expect((await stage.say(number, 'reader', '/retry')).reply).toContain('needs write access');
  expect(await stage.say(number, 'reader', '/retry')).toEqual(quiet);
  // However slow this machine is, the rest is within the minute.
  const since = (at: number) =>
    open.db
      .updateTable('refusals')
      .set({ asked_at: new Date(at) })
      .execute();
  await since(Date.now() + 3_600_000);
  for (const words of ['/approve', '/stop', '/hold web/Release now']) {
    expect(await stage.say(number, 'reader', words)).toEqual(quiet);
  }
  expect(await stage.say(number, 'reader', '/aprove')).toEqual({ ...quiet, reactions: ['eyes', 'confused'] });
  expect(lookUps()).toBe(2);
  await world.github.review(stage.repository, number, reader, { state: 'commented', body: '/retry' });
  await world.settled();
  expect(replies(world, stage, number)).toHaveLength(1);
  expect((await stage.say(number, 'reader', '/why')).reply).toContain('0 of 1 approval');
  expect((await stage.say(number, 'dev', '/aprove')).reply).toContain('Did you mean');

  await since(Date.now() - 61_000);
  world.github.setPermission(stage.repository, reader, 'write');
  expect((await stage.say(number, 'reader', '/hold web/Release now')).reactions).toEqual(['eyes', 'rocket']);

  const before = asked.length;
  await gaveCommands(stage, reader, 30);
  const words = { author: reader, body: '/retry' };
  for (let index = 0; index < 20; index += 1) {
    await world.github.comment(stage.repository, number, words.author, words.body);
  }
  await world.settled();
  expect(asked.slice(before)).toEqual([]);
  stopListening();
});

test('SEC-B-08 what an app writes in the name of a person is no command of theirs', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 1 }') });
  const { number, sha } = await stage.pullRequest();
  const { deps } = world.server;
  const repository = (await deps.github.installedRepositories()).find(({ owner }) => owner === stage.owner)!;
  const comment = await world.github.comment(stage.repository, number, `reviewer-${stage.owner}`, 'Fine.');
  const said = {
    kind: 'human-text',
    repository,
    number,
    source: { kind: 'issue-comment', id: comment, nodeId: 'IC_1' },
    author: { id: addPerson(world, stage, 'reviewer').id, login: `reviewer-${stage.owner}`, bot: false },
    body: '/approve',
    createdAt: new Date().toISOString(),
    edited: false,
  } as const;
  for (const one of [
    { ...said, viaApp: true },
    { ...said, viaApp: false, author: { ...said.author, bot: true } },
  ]) {
    expect(await handleHumanText(deps, one, 'test')).toMatchObject({ reason: expect.stringContaining('bots or apps') });
  }
  await world.settled();
  expect(stage.check(sha, 'web / Release')).toMatch(/^completed\/action_required/);
});

test('a comment without a command costs GitHub no question', async () => {
  const stage = await setStage(world, { config: configWithGate('{ count: 1 }') });
  const { number } = await stage.pullRequest();
  const asked: string[] = [];
  const stopListening = world.github.onExchange(({ path }) => void asked.push(path));
  await stage.say(number, 'dev', 'Looks fine.\n\n> /approve\n\n/assign me');
  expect(asked).toEqual([]);
  stopListening();
});
