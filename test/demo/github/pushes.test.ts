// Sources: "openapi" is GitHub's published description of webhooks; "docs" is a file of github/docs.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { git } from '../../../src/demo/github/git.ts';
import { beginStory, request, web, type Story } from './story.ts';

interface Told {
  readonly sha: string;
  readonly parents: readonly { readonly sha: string }[];
  readonly commit: {
    readonly author: { readonly name: string; readonly email: string; readonly date: string };
    readonly committer: { readonly name: string; readonly email: string };
    readonly message: string;
    readonly tree: { readonly sha: string };
  };
}

const none = '0'.repeat(40);
let story: Story;

beforeAll(async () => {
  story = await beginStory({ now: () => new Date('2026-01-02T03:04:05Z') });
  await story.events();
});
afterAll(() => story.end());

async function lastPush() {
  await story.github.settled();
  const pushes = story.github.deliveries().filter(({ event }) => event === 'push');
  return pushes.at(-1)?.payload ?? {};
}

describe('a push', () => {
  // openapi, webhook push
  test('that makes a branch is created, with zeros before', async () => {
    const after = await story.github.commit(web, { branch: 'new', author: 'ada', message: 'One', files: { a: '1\n' } });
    expect(await lastPush()).toMatchObject({
      ref: 'refs/heads/new',
      before: none,
      after,
      created: true,
      deleted: false,
      forced: false,
      pusher: { name: 'ada' },
      head_commit: { id: after, message: 'One', added: ['a'], timestamp: '2026-01-02T03:04:05Z' },
    });
  });

  test('of several commits lists them oldest first, with what each changed', async () => {
    const before = await story.github.commit(web, {
      branch: 'many',
      author: 'ada',
      message: 'Zero',
      files: { a: '0\n' },
    });
    const after = await story.github.push(web, {
      branch: 'many',
      by: 'grace',
      commits: [
        { author: 'ada', message: 'One', files: { a: '1\n', b: '1\n' } },
        { author: 'ada', message: 'Two', files: { b: null } },
      ],
    });
    const push = await lastPush();
    expect(push).toMatchObject({ before, after, created: false, forced: false, sender: { login: 'grace' } });
    expect(push['commits']).toMatchObject([
      { message: 'One', added: ['b'], modified: ['a'], removed: [], author: { username: 'ada' } },
      { message: 'Two', added: [], modified: [], removed: ['b'] },
    ]);
  });

  test('from another commit than the tip is forced', async () => {
    const { github } = story;
    const base = await github.commit(web, { branch: 'bent', author: 'ada', message: 'One', files: { a: '1\n' } });
    const before = await github.commit(web, { branch: 'bent', author: 'ada', message: 'Two', files: { a: '2\n' } });
    const other = { branch: 'bent', author: 'ada', message: 'Three', files: { a: '3\n' }, from: base };
    const after = await github.commit(web, other);
    expect(await lastPush()).toMatchObject({ before, after, forced: true, created: false });
    await github.push(web, { branch: 'bent', by: 'ada', commits: [], from: base });
    expect(await lastPush()).toMatchObject({ before: after, after: base, forced: true, commits: [] });
  });

  test('that removes a branch is deleted, with zeros after and no head commit', async () => {
    const before = await story.github.commit(web, { branch: 'gone', author: 'ada', message: 'x', files: { a: '1\n' } });
    await story.events();
    await story.github.deleteBranch(web, 'gone', 'ada');
    expect(await lastPush()).toMatchObject({
      ref: 'refs/heads/gone',
      before,
      after: none,
      deleted: true,
      head_commit: null,
    });
    expect(await story.events()).toEqual(['push']);
  });

  // openapi, webhook push: more than three tags at once send nothing
  test('of three tags tells of each, of four tells nothing', async () => {
    const { head } = await story.github.createRepository({ owner: 'acme', name: 'tags', files: { a: '1\n' } });
    const sha = head ?? '';
    await story.github.pushTags('acme/tags', { v1: sha, v2: sha, v3: sha }, 'ada');
    expect(await story.events()).toEqual(['push', 'push', 'push']);
    expect(await lastPush()).toMatchObject({
      ref: 'refs/tags/v3',
      after: sha,
      created: true,
      head_commit: { id: sha },
    });
    await story.github.pushTags('acme/tags', { v4: sha, v5: sha, v6: sha, v7: sha }, 'ada');
    expect(await story.events()).toEqual([]);
    await story.github.deleteTag('acme/tags', 'v1', 'ada');
    expect(await lastPush()).toMatchObject({ ref: 'refs/tags/v1', after: none, deleted: true });
  });

  test('that removes a folder names the files that were in it', async () => {
    const folder = { branch: 'folder', author: 'ada', message: 'Folder', files: { 'f/a': '1\n', 'f/b': '1\n' } };
    await story.github.commit(web, folder);
    await story.github.commit(web, { ...folder, files: { f: null, same: 'kept\n' } });
    expect(await lastPush()).toMatchObject({ head_commit: { removed: ['f/a', 'f/b'], added: ['same'], modified: [] } });
    await story.github.commit(web, { ...folder, files: { same: 'kept\n', absent: null } });
    expect(await lastPush()).toMatchObject({ head_commit: { removed: [], added: [], modified: [] } });
  });

  // The stand-in remembers what it made instead of asking git; the two must agree
  test('leaves in git what is told of it', async () => {
    const { path } = await story.github.createRepository({ owner: 'acme', name: 'truth', files: { a: '1\n' } });
    const change = { author: 'ada', message: 'Two\n\nlines', files: { 'b "c"': '2\n' } };
    await story.github.commit('acme/truth', { branch: 'side', ...change });
    const number = await story.github.openPullRequest('acme/truth', { head: 'side', author: 'ada', title: 'Side' });
    const merge = await story.github.mergePullRequest('acme/truth', number, 'grace');
    const { body } = await request(`${story.github.url}/repos/acme/truth/commits`, 'GET', await story.mint());
    const format = '%H %T %an %ae %cn %ce %at %P%n%B%x00';
    const { out } = await git(path, ['log', '--topo-order', `--format=${format}`, 'refs/heads/main']);
    const told = body.map(({ sha, commit, parents }: Told) => {
      const { author, committer, tree } = commit;
      const people = `${author.name} ${author.email} ${committer.name} ${committer.email}`;
      const shas = parents.map((parent) => parent.sha).join(' ');
      return `${sha} ${tree.sha} ${people} ${Date.parse(author.date) / 1000} ${shas}\n${commit.message}`;
    });
    expect(told[0]).toContain(merge);
    expect(
      out
        .toString()
        .split('\0')
        .map((text) => text.trim())
        .filter(Boolean),
    ).toEqual(told);
    const { out: refs } = await git(path, ['for-each-ref', '--format=%(refname) %(objectname)']);
    expect(refs.toString()).toContain(`refs/heads/main ${merge}\n`);
    expect((await git(path, ['fsck', '--strict'])).code).toBe(0);
  });

  test('makes the same commits whenever it is told with the same clock', async () => {
    const commit = { branch: 'same', author: 'ada', message: 'Same', files: { a: '1\n' } };
    const one = await story.github.createRepository({ owner: 'ada', name: 'one', files: { seed: '1\n' } });
    const two = await story.github.createRepository({ owner: 'ada', name: 'two', files: { seed: '1\n' } });
    expect(one.head).toBe(two.head);
    const shas = [await story.github.commit('ada/one', commit), await story.github.commit('ada/two', commit)];
    expect(shas[0]).toBe(shas[1]);
  });

  test('is told of only where the App is installed', async () => {
    await story.events();
    await story.github.commit('ada/one', { branch: 'quiet', author: 'ada', message: 'x', files: { b: '1\n' } });
    expect(await story.events()).toEqual([]);
  });
});

// docs: why-are-my-commits-linked-to-the-wrong-user: GitHub maps a commit to an account by its address, never by its name
test('an author whose address belongs to nobody has no account', async () => {
  const author = { name: 'ada', email: 'ada@elsewhere.example' };
  const sha = await story.github.commit(web, { branch: 'who', author, by: 'ada', message: 'x', files: { z: '1\n' } });
  const { body } = await story.call('GET', `/repos/${web}/commits/${sha}`);
  expect([body.author, body.commit.author.name]).toEqual([null, 'ada']);
});
