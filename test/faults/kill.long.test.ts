import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startStandIn, type StandIn } from '../../src/demo/github/stand-in.ts';
import { startPenstock } from '../cli/run-command.ts';
import { prepareDatabase } from '../prepared-home.ts';
import { lightRepository } from '../seeds.ts';
import { webhookSecret } from '../world.ts';
import { startRealServer, type RealServer } from './real-server.ts';

let directory: string;
let github: StandIn;
let server: RealServer;
const repository = 'acme/web';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'penstock-kill-'));
  github = await startStandIn({ webhookSecret, directory: join(directory, 'github'), appId: 1 });
  for (const login of ['dev', 'reviewer']) github.createAccount({ login });
  await github.createRepository({ owner: 'acme', name: 'web', files: lightRepository('acme') });
  for (const login of ['dev', 'reviewer']) github.setPermission(repository, login, 'write');
  await prepareDatabase(join(directory, 'home/database'));
  server = await startRealServer(github, join(directory, 'home'));
  github.install({ owner: 'acme' });
});

afterEach(async () => {
  await server.kill();
  await github.stop();
  await rm(directory, { recursive: true, force: true });
});

test('killed in the middle of a command: only that action is lost, and /retry then succeeds', async () => {
  const { number, sha } = await open('slow', 'echo started; sleep 4; echo ended\n');
  await until('the command runs', () => logs().then((all) => all.some((log) => log.includes('started'))));
  await killAndRestart();
  await until('the check concludes', () => check(sha, 'web / Test')?.conclusion === 'failure');
  expect(check(sha, 'web / Source')?.conclusion).toBe('success');
  expect(check(sha, 'web / Test')?.summary).toMatch(/lost|restart|gone/i);
  await github.comment(repository, number, 'dev', '/retry');
  await until('the gate waits', () => check(sha, 'web')?.conclusion === 'action_required');
  await github.comment(repository, number, 'reviewer', '/approve');
  await until('it succeeds', () => check(sha, 'web')?.conclusion === 'success');
  await expectNothingTwice();
});

// Seven rounds, each with waits that have limits of their own.
const patience = 900_000;

test(
  'killed at any other moment: the execution goes on, every check concludes, nothing starts twice',
  { timeout: patience },
  async () => {
    for (const [round, delayMs] of [0, 40, 120, 250, 450, 700, 1000].entries()) {
      const { number, sha } = await open(`quick-${round}`, `echo round ${round}\n`);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await killAndRestart();
      await until(`round ${round}: a verdict`, () => check(sha, 'web')?.status === 'completed');
      if (check(sha, 'web')?.conclusion === 'failure') {
        expect(check(sha, 'web')?.summary).toMatch(/lost|restart|gone/i);
        await github.comment(repository, number, 'dev', '/retry');
      }
      await until(`round ${round}: the gate waits`, () => check(sha, 'web')?.conclusion === 'action_required');
      await github.comment(repository, number, 'reviewer', '/approve');
      await until(`round ${round}: success`, () => check(sha, 'web')?.conclusion === 'success');
      await until(`round ${round}: all concluded`, () =>
        github.checks(repository, sha).every((run) => run.status === 'completed'),
      );
    }
    await expectNothingTwice();
  },
);

test('SIGTERM lets what runs end, and leaves a home that the next process takes over', async () => {
  const { sha } = await open('calm', 'echo begun; sleep 4; echo ended\n');
  await until('the command runs', () => logs().then((all) => all.some((log) => log.includes('begun'))));
  // Whoever follows the log meanwhile sees it to its end, over the restart.
  const env = { PENSTOCK_HOME: join(directory, 'home') };
  const [execution = ''] = await readdir(join(directory, 'home/logs'));
  const following = startPenstock(['logs', '-f', execution, 'unit'], env, directory);
  await following.printed(/^begun$/m);
  expect(await server.terminate()).toBe(0);
  server = await startRealServer(github, join(directory, 'home'));
  await until('a verdict', () => check(sha, 'web')?.status === 'completed');
  await following.printed(/^ended$/m);
  const { code, all } = await following.stop();
  expect([code, all.match(/^(begun|ended)$/gm)]).toEqual([0, ['begun', 'ended']]);
});

async function open(branch: string, script: string): Promise<{ number: number; sha: string }> {
  const sha = await github.commit(repository, { branch, author: 'dev', message: branch, files: { 'run.sh': script } });
  const number = await github.openPullRequest(repository, { head: branch, author: 'dev', title: branch });
  return { number, sha };
}

function check(sha: string, name: string) {
  return github.checks(repository, sha).find((run) => run.name === name);
}

async function killAndRestart(): Promise<void> {
  await server.kill();
  const lost = github.deliveries().length;
  server = await startRealServer(github, join(directory, 'home'));
  // What GitHub could not deliver while the server was away, its operator (or the sweep) asks for again.
  for (const delivery of github.deliveries().slice(0, lost))
    if (delivery.status !== 'OK') github.redeliver(delivery.id);
}

async function logs(): Promise<string[]> {
  const root = join(directory, 'home/logs');
  const files = await readdir(root, { recursive: true }).catch(() => []);
  return Promise.all(files.filter((file) => file.endsWith('.log')).map((file) => readFile(join(root, file), 'utf8')));
}

/** Each attempt has a log of its own: a command that began twice would stand in it twice. */
async function expectNothingTwice(): Promise<void> {
  const begun = (await logs()).map((log) => log.split('Running command sh run.sh').length - 1);
  expect(begun.length).toBeGreaterThan(0);
  expect(Math.max(...begun)).toBe(1);
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 450; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not within 45 seconds: ${what}\n${server.output().slice(-3000)}`);
}
