// Sources: "openapi" is GitHub's published REST description.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beginStory, web, type Story } from './story.ts';

const repo = `/repos/${web}`;
let story: Story;

beforeAll(async () => {
  story = await beginStory();
});
afterAll(() => story.end());

describe('contents', () => {
  // openapi, repos/get-content
  test('come in base64, or raw when asked for', async () => {
    const { body } = await story.call('GET', `${repo}/contents/README.md`);
    expect(Buffer.from(body.content, 'base64').toString()).toBe('Hello\n');
    const accept = 'application/vnd.github.raw+json';
    const raw = await story.call('GET', `${repo}/contents/README.md?ref=main`, undefined, { accept });
    expect(raw.body).toBe('Hello\n');
  });

  test('stand at a commit, a branch, a tag, or the default branch', async () => {
    const { github } = story;
    const files = { 'README.md': 'Bye\n' };
    const sha = await github.commit(web, { branch: 'bye', author: 'ada', message: 'Bye', files });
    await github.pushTags(web, { v1: sha }, 'ada');
    const accept = 'application/vnd.github.raw';
    const read = async (ref: string) =>
      (await story.call('GET', `${repo}/contents/README.md${ref}`, undefined, { accept })).body;
    expect(await Promise.all(['', '?ref=bye', '?ref=v1', `?ref=${sha}`, '?ref=refs/heads/bye'].map(read))).toEqual([
      'Hello\n',
      'Bye\n',
      'Bye\n',
      'Bye\n',
      'Bye\n',
    ]);
  });

  test('of a folder are a list; of nothing a 404', async () => {
    const { body } = await story.call('GET', `${repo}/contents/ci`);
    expect(body).toMatchObject([{ name: 'web.pipeline.json', path: 'ci/web.pipeline.json', type: 'file' }]);
    expect((await story.call('GET', `${repo}/contents`)).body).toHaveLength(2);
    for (const path of ['nothing', 'ci/nothing', 'README.md/nothing', 'README.md?ref=nothing']) {
      expect((await story.call('GET', `${repo}/contents/${path}`)).status, path).toBe(404);
    }
  });

  // openapi, repos/get-content: between 1 and 100 MB only raw
  test('above a megabyte are empty in JSON and whole in raw', async () => {
    const large = 'x'.repeat(1_048_577);
    await story.github.commit(web, { branch: 'large', author: 'ada', message: 'Large', files: { large } });
    const path = `${repo}/contents/large?ref=large`;
    expect((await story.call('GET', path)).body).toMatchObject({ content: '', encoding: 'none', size: 1_048_577 });
    const raw = await story.call('GET', path, undefined, { accept: 'application/vnd.github.raw+json' });
    expect(raw.body).toBe(large);
  });

  // openapi, repos/get-content: a link to a file is that file; one that leads out of the repository is a symlink
  test('follow links inside the repository, and only name the others', async () => {
    const link = (content: string) => ({ content, mode: '120000' });
    const files = { inside: link('README.md'), outside: link('../../etc/passwd'), broken: link('nothing') };
    await story.github.commit(web, { branch: 'links', author: 'ada', message: 'Links', files });
    const read = async (name: string) => (await story.call('GET', `${repo}/contents/${name}?ref=links`)).body;
    expect(await read('inside')).toMatchObject({ type: 'file', size: 6 });
    expect(await read('outside')).toMatchObject({ type: 'symlink', target: '../../etc/passwd' });
    expect(await read('broken')).toMatchObject({ type: 'symlink', target: 'nothing' });
    expect((await story.call('GET', `${repo}/contents/..%2F..%2Fetc`)).status).toBe(422);
  });

  test('have names with any character', async () => {
    const name = 'a "b" ü\\c.txt';
    await story.github.commit(web, { branch: 'odd', author: 'ada', message: 'Odd', files: { [name]: 'odd\n' } });
    const { body } = await story.call('GET', `${repo}/contents/${encodeURIComponent(name)}?ref=odd`);
    expect([body.name, body.size]).toEqual([name, 4]);
  });
});

describe('branches and refs', () => {
  // openapi, git/get-ref and repos/get-branch
  test('are found by names with slashes, and are gone with 404', async () => {
    const sha = await story.github.commit(web, { branch: 'a/b/c', author: 'ada', message: 'x', files: { x: '1\n' } });
    expect((await story.call('GET', `${repo}/git/ref/heads/a/b/c`)).body.object.sha).toBe(sha);
    expect((await story.call('GET', `${repo}/branches/a%2Fb%2Fc`)).body.commit.sha).toBe(sha);
    expect((await story.call('GET', `${repo}/commits/a/b/c`)).body.sha).toBe(sha);
    expect((await story.call('GET', `${repo}/git/ref/heads/a`)).status).toBe(404);
    expect((await story.call('GET', `${repo}/branches/nothing`)).status).toBe(404);
  });

  test('a commit that is not there is a 422', async () => {
    expect((await story.call('GET', `${repo}/commits/${'f'.repeat(40)}`)).status).toBe(422);
  });
});

describe('comparing', () => {
  // openapi, repos/compare-commits: at most 300 files; pulls/list-files: at most 3,000
  test('lists at most 300 files, a pull request at most 3,000', async () => {
    const names = Array.from({ length: 3001 }, (_, at) => [`many/${String(at).padStart(4, '0')}`, `${at}\n`]);
    const files = Object.fromEntries(names) as Record<string, string>;
    await story.github.commit(web, { branch: 'many', author: 'ada', message: 'Many', files });
    const number = await story.github.openPullRequest(web, { head: 'many', author: 'ada', title: 'Many' });
    const { body } = await story.call('GET', `${repo}/compare/main...many`);
    expect([body.files.length, body.status, body.ahead_by]).toEqual([300, 'ahead', 1]);
    expect((await story.call('GET', `${repo}/pulls/${number}/files?per_page=100&page=30`)).body).toHaveLength(100);
    expect((await story.call('GET', `${repo}/pulls/${number}/files?per_page=100&page=31`)).body).toEqual([]);
  });

  // openapi, repos/get-commit: 300 files a page, up to 3,000; repos/compare-commits: files on the first page only
  test('by commit pages through the files; the later pages of a comparison hold commits alone', async () => {
    const { body, headers } = await story.call('GET', `${repo}/commits/many`);
    expect([body.files.length, body.stats.total]).toEqual([300, 3001]);
    expect(headers.get('link')).toContain('page=10>; rel="last"');
    const second = await story.call('GET', `${repo}/compare/main...many?page=2`);
    expect([second.body.files, second.body.commits, second.body.total_commits]).toEqual([undefined, [], 1]);
  });

  test('starts where the branches parted, and sees renames', async () => {
    const { github } = story;
    const moved = { 'README.md': null, 'READ.md': 'Hello\n' };
    await github.commit(web, { branch: 'moved', author: 'ada', message: 'Move', files: moved });
    await github.commit(web, { branch: 'main', author: 'ada', message: 'On', files: { on: '1\n' } });
    const { body } = await story.call('GET', `${repo}/compare/main...moved`);
    expect([body.status, body.ahead_by, body.behind_by]).toEqual(['diverged', 1, 1]);
    expect(body.files).toMatchObject([{ filename: 'READ.md', previous_filename: 'README.md', status: 'renamed' }]);
    expect((await story.call('GET', `${repo}/compare/main...main`)).body.status).toBe('identical');
  });
});

// openapi: pagination by Link headers, 30 unless asked, at most 100
test('lists come in pages with links to the others', async () => {
  const { headers, body } = await story.call('GET', `${repo}/branches?per_page=2`);
  expect(body).toHaveLength(2);
  const next = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1]?.replace(story.github.url, '') ?? '';
  expect(next).toBe(`${repo}/branches?per_page=2&page=2`);
  const second = await story.call('GET', next);
  expect(second.body.map((branch: { name: string }) => branch.name)).not.toContain(body[0].name);
  expect(second.headers.get('link')).toMatch(/rel="prev".*rel="first"/);
  expect((await story.call('GET', `${repo}/branches?per_page=1000`)).headers.get('link')).toBeNull();
});

describe('people', () => {
  // openapi, repos/get-collaborator-permission-level: maintain counts as write, triage as read
  test.each([
    ['admin', 'admin'],
    ['maintain', 'write'],
    ['write', 'write'],
    ['triage', 'read'],
    ['read', 'read'],
    ['none', 'none'],
  ] as const)('with the role %s have the permission %s', async (role, permission) => {
    story.github.setPermission(web, 'someone', role);
    const { body } = await story.call('GET', `${repo}/collaborators/someone/permission`);
    expect([body.permission, body.role_name]).toEqual([permission, role]);
  });

  test('who do not exist are a 404', async () => {
    expect((await story.call('GET', `${repo}/collaborators/nobody/permission`)).status).toBe(404);
  });

  test('are listed by what they may do', async () => {
    story.github.setPermission(web, 'reader', 'read');
    const logins = async (query: string) =>
      (await story.call('GET', `${repo}/collaborators${query}`)).body.map((who: { login: string }) => who.login);
    expect(await logins('')).toContain('reader');
    expect(await logins('?permission=push')).toEqual(['ada', 'grace']);
  });

  // openapi, teams/get-membership-for-user-in-org: includes child teams, and the state has to be looked at
  test('belong to a team, to its parent, or are still invited', async () => {
    const { github } = story;
    github.createTeam({ organization: 'acme', slug: 'release' });
    github.createTeam({ organization: 'acme', slug: 'night', parent: 'release', members: ['ada'] });
    github.addToTeam('acme', 'release', 'grace', 'pending');
    const state = async (login: string) => {
      const { status, body } = await story.call('GET', `/orgs/acme/teams/release/memberships/${login}`);
      return status === 200 ? body.state : status;
    };
    expect([await state('ada'), await state('grace'), await state('reader')]).toEqual(['active', 'pending', 404]);
    github.removeFromTeam('acme', 'night', 'ada');
    expect(await state('ada')).toBe(404);
  });

  // kestra-io/kestra#18573: without Members read, not a member and not allowed to know look the same
  test('of a team are not known to a token without members:read', async () => {
    story.github.addToTeam('acme', 'release', 'ada');
    const token = await story.mint({ permissions: { checks: 'write' } });
    const path = `${story.github.url}/orgs/acme/teams/release/memberships/ada`;
    expect((await fetch(path, { headers: { authorization: `Bearer ${token}` } })).status).toBe(404);
  });
});

// docs: renaming-a-repository and transferring-a-repository; openapi answers 301, and 307 for writes
describe('a repository that moved', () => {
  test('leads from its old name to its number, until another takes the name', async () => {
    const { github } = story;
    const { id } = await github.createRepository({ owner: 'acme', name: 'before', files: { a: '1\n' } });
    await github.renameRepository('acme/before', 'after', 'ada');
    expect((await story.asApp('GET', '/repos/acme/before/installation')).body.id).toBe(story.installation);
    const token = await story.mint();
    const read = (path: string, redirect: 'follow' | 'manual' = 'follow') =>
      fetch(`${github.url}${path}`, { headers: { authorization: `Bearer ${token}` }, redirect });
    const moved = await read('/repos/acme/before/contents/a?ref=main', 'manual');
    const target = `${github.url}/repositories/${id}/contents/a?ref=main`;
    expect([moved.status, moved.headers.get('location')]).toEqual([301, target]);
    expect(await (await read('/repos/acme/before')).json()).toMatchObject({ id, full_name: 'acme/after' });
    const taken = await github.createRepository({ owner: 'acme', name: 'before', files: { a: '1\n' } });
    expect(await (await read('/repos/acme/before')).json()).toMatchObject({ id: taken.id });
  });

  test('to another owner is out of reach of the old installation', async () => {
    const { github } = story;
    const { id } = await github.createRepository({ owner: 'acme', name: 'given', files: { a: '1\n' } });
    await github.transferRepository('acme/given', 'other', 'ada');
    const token = await story.mint();
    const answer = await fetch(`${github.url}/repositories/${id}`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(404);
  });
});
