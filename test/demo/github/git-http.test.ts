import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gitEnvironment } from '../../../src/demo/github/git.ts';
import { beginStory, web, type Story } from './story.ts';

const run = promisify(execFile);
let story: Story;
let work: string;
let sha: string;

beforeAll(async () => {
  story = await beginStory();
  work = await mkdtemp(join(story.directory, 'work-'));
  await git('init', '--quiet');
  await story.github.commit(web, { branch: 'topic', author: 'ada', message: 'One', files: { a: '1\n' } });
  sha = await story.github.commit(web, { branch: 'topic', author: 'ada', message: 'Two', files: { a: '2\n' } });
  const behind = { branch: 'topic', author: 'ada', message: 'Three', files: { a: '3\n' } };
  await story.github.commit(web, behind);
});
afterAll(() => story.end());

async function git(...args: string[]): Promise<string> {
  const env = { ...gitEnvironment(), GIT_TERMINAL_PROMPT: '0' };
  return (await run('git', ['-C', work, ...args], { env })).stdout.trim();
}

/** The token goes in a header, so that it stands in no file. */
function withToken(token: string): readonly string[] {
  return ['-c', `http.extraHeader=Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`];
}

const url = (repository = web) => `${story.github.url}/${repository}.git`;

describe('git over HTTP with an installation token', () => {
  test.each(['0', '2'])('fetches a commit by its SHA with protocol version %s', async (version) => {
    const token = withToken(
      await story.mint({ repository_ids: [story.repositoryId], permissions: { contents: 'read' } }),
    );
    await git(...token, '-c', `protocol.version=${version}`, 'fetch', '--quiet', '--depth=1', url(), sha);
    expect(await git('rev-parse', 'FETCH_HEAD')).toBe(sha);
    expect(await git('show', 'FETCH_HEAD:a')).toBe('2');
  });

  test('clones with the token in the address', async () => {
    const address = url().replace('//', `//x-access-token:${await story.mint()}@`);
    await git('clone', '--quiet', address, 'clone');
    expect(await git('-C', 'clone', 'show', 'HEAD:README.md')).toBe('Hello');
  });

  test('finds the head of a pull request, also of one from a fork', async () => {
    await story.github.forkRepository(web, 'stranger');
    const gift = { branch: 'gift', author: 'stranger', message: 'Gift', files: { gift: '1\n' } };
    const head = await story.github.commit('stranger/web', gift);
    const number = await story.github.openPullRequest(web, {
      head: 'stranger:gift',
      author: 'stranger',
      title: 'Gift',
    });
    const token = withToken(await story.mint());
    await git(...token, 'fetch', '--quiet', url(), head);
    expect(await git('rev-parse', 'FETCH_HEAD')).toBe(head);
    await git(...token, 'fetch', '--quiet', url(), `refs/pull/${number}/head`);
    expect(await git('rev-parse', 'FETCH_HEAD')).toBe(head);
  });

  test('is refused without a token, with a wrong one, for another repository, and without contents', async () => {
    await story.github.createRepository({ owner: 'acme', name: 'shop', files: { a: '1\n' } });
    const one = await story.mint({ repository_ids: [story.repositoryId] });
    const blind = await story.mint({ permissions: { checks: 'write' } });
    await expect(git('ls-remote', url())).rejects.toThrow(/could not read Username|Authentication failed/);
    await expect(git(...withToken('ghs_wrong'), 'ls-remote', url())).rejects.toThrow();
    await expect(git(...withToken(one), 'ls-remote', url('acme/shop'))).rejects.toThrow(/not found/);
    await expect(git(...withToken(blind), 'ls-remote', url())).rejects.toThrow(/403/);
  });

  test('never takes a push: the App may only read contents', async () => {
    const token = withToken(await story.mint());
    await git(...token, 'fetch', '--quiet', url(), sha);
    await expect(git(...token, 'push', url(), 'FETCH_HEAD:refs/heads/evil')).rejects.toThrow(/403/);
  });
});
