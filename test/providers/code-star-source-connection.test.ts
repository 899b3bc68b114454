import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import { createBackground } from '../../src/providers/background.ts';
import { codeStarSourceConnection } from '../../src/providers/code-star-source-connection.ts';
import { codeBuild } from '../../src/providers/code-build.ts';
import { commands } from '../../src/providers/commands.ts';
import { unzip } from '../../src/providers/zip.ts';
import { standardPath, type Isolation } from '../../src/buildspec/isolation.ts';
import { availableRungs, temporaryDirectory } from '../buildspec/rungs.ts';
import { anAction, artifact, finish, type ActionChange } from './action.ts';
import { serveRepository } from './git-server.ts';

const root = await temporaryDirectory();
const rungs = await availableRungs();
const [bestRung] = rungs as [Isolation];
const home = join(root, 'home');
const token = 'ghs_1_eyJhbGciOiJ.a-token-with.dots';
const served = await serveRepository(join(root, 'repository'), token);
const artifacts = openArtifactStore(home);
const provider = codeStarSourceConnection({
  home,
  path: process.env['PATH'] ?? standardPath,
  gitEnvironment: {},
  fetchAccess: () => Promise.resolve({ url: served.url, token }),
  artifacts,
  background: createBackground(home, 2),
});
const configuration = { ConnectionArn: 'arn:aws:x', FullRepositoryId: 'acme/web', BranchName: 'main' };

function sourceOf(revisionId: string, change: ActionChange = {}) {
  return anAction(home, provider, {
    configuration,
    sourceRevision: { actionName: 'Source', revisionId },
    outputs: [artifact('Source')],
    ...change,
  });
}

async function filesOf(action: ReturnType<typeof sourceOf>): Promise<Record<string, string>> {
  const stored = await artifacts.get(action.outputs[0]!.location);
  const directory = join(root, `out-${action.actionExecution}`);
  await mkdir(directory);
  await unzip({ file: stored!.file }, directory);
  const names = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const files = names.map(async (entry): Promise<[string, string]> => {
    const path = join(entry.parentPath, entry.name);
    return [path.slice(directory.length + 1), await readFile(path, 'utf8')];
  });
  return Object.fromEntries(await Promise.all(files));
}

describe('the source of an execution is one commit', () => {
  it('fetches by SHA, not by branch, and tells what AWS tells (SEC-C-02, CP-P-3)', async () => {
    const sha = served.commit({ 'a.txt': 'one\n' }, 'Mend the gate\n\nwith "quotes", $(id) and ümlaut');
    served.commit({ 'a.txt': 'two\n' }, 'A later commit');
    const action = sourceOf(sha);
    expect(await finish(provider, action)).toMatchObject({
      kind: 'succeeded',
      externalId: sha,
      summary: 'Mend the gate',
      revision: {
        actionName: 'Act',
        revisionId: sha,
        revisionType: 'COMMIT_ID',
        created: '2026-07-01T08:00:00.000Z',
      },
      outputVariables: {
        AuthorDate: '2026-07-01T10:00:00+02:00',
        BranchName: 'main',
        CommitId: sha,
        CommitMessage: 'Mend the gate\n\nwith "quotes", $(id) and ümlaut',
        ConnectionArn: 'arn:aws:x',
        FullRepositoryName: 'acme/web',
      },
    });
    expect(await filesOf(action)).toEqual({ 'a.txt': 'one\n' });
  });

  it('adds the four variables of a pull request only on its runs (CP-P-7)', async () => {
    const sha = served.commit({ 'b.txt': 'b' }, 'Branch work');
    const onPush = await finish(provider, sourceOf(sha));
    expect(onPush.kind === 'succeeded' && Object.keys(onPush.outputVariables)).not.toContain('PullRequestId');
    const origin = {
      headSha: sha,
      branch: '--upload-pack=$(id)',
      pullRequest: { number: 9, title: '`id`', baseRef: 'main' },
    };
    const onPullRequest = await finish(provider, sourceOf(sha, { origin }));
    expect(onPullRequest).toMatchObject({
      outputVariables: {
        BranchName: '--upload-pack=$(id)',
        PullRequestId: '9',
        PullRequestTitle: '`id`',
        SourceBranchName: '--upload-pack=$(id)',
        DestinationBranchName: 'main',
      },
    });
  });

  it('fetches a commit once and serves it from its mirror afterwards', async () => {
    const sha = served.commit({ 'c.txt': 'c' }, 'Once');
    await finish(provider, sourceOf(sha));
    const before = served.requests.length;
    expect((await finish(provider, sourceOf(sha))).kind).toBe('succeeded');
    expect(served.requests.length).toBe(before);
  });

  it('fetches where a fetch that was killed has left its locks', async () => {
    await finish(provider, sourceOf(served.commit({ 'c.txt': 'before' }, 'Before the kill')));
    const sha = served.commit({ 'c.txt': 'after' }, 'After the kill');
    const mirror = join(home, 'repositories', '42.git');
    const left = ['shallow.lock', 'packed-refs.lock', `refs/penstock/${sha}.lock`, 'objects/pack/tmp_pack_x'];
    for (const path of left) await writeFile(join(mirror, path), '');
    expect((await finish(provider, sourceOf(sha))).kind).toBe('succeeded');
    expect(existsSync(join(mirror, 'objects/pack/tmp_pack_x'))).toBe(false);
  });

  it('makes the same artifact bytes of the same commit', async () => {
    const sha = served.commit({ 'd.txt': 'd' }, 'Stable');
    const [one, two] = [sourceOf(sha), sourceOf(sha)];
    await Promise.all([finish(provider, one), finish(provider, two)]);
    const digests = await Promise.all([one, two].map((action) => artifacts.get(action.outputs[0]!.location)));
    expect(digests[0]!.sha256).toBe(digests[1]!.sha256);
  });

  it('takes the whole tree as it is: attributes, filters, hooks and submodules change nothing (SEC-C-11)', async () => {
    served.git('config', 'core.hooksPath', '/dev/null');
    const sha = served.commit(
      {
        '.gitattributes': '*.secret export-ignore\n*.txt filter=evil export-subst\n',
        'kept.secret': 'kept',
        'x.txt': '$Format:%H$',
        '.gitmodules': '[submodule "m"]\n\tpath = m\n\turl = http://127.0.0.1:1/m.git\n',
      },
      'Attributes',
    );
    const action = sourceOf(sha);
    expect((await finish(provider, action)).kind).toBe('succeeded');
    expect(await filesOf(action)).toMatchObject({ 'kept.secret': 'kept', 'x.txt': '$Format:%H$' });
  });

  it.each(rungs)(
    'a build on the rung $level of a hostile tree runs nothing but its own commands (SEC-C-11)',
    async (rung) => {
      const touch = `#!/bin/sh\ntouch ${join(root, `hook-ran-${rung.level}`)}\n`;
      served.git('config', 'core.hooksPath', '/dev/null');
      const sha = served.commit(
        {
          '.gitattributes': '*.txt filter=evil diff=evil merge=evil\n*.bin filter=lfs\n',
          '.gitconfig': `[core]\n\tfsmonitor = touch ${join(root, `hook-ran-${rung.level}`)}\n`,
          '.githooks/post-checkout': touch,
          'hooks/post-checkout': touch,
          '.gitmodules': '[submodule "m"]\n\tpath = m\n\turl = ext::sh -c touch% hook-ran\n',
          'big.bin': 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n',
          'GIT~2/hooks/x': 'no',
        },
        `Hostile ${rung.level}`,
      );
      const refused = sourceOf(sha);
      await finish(provider, refused);
      const network = rung.contained ? ('none' as const) : ('host' as const);
      const builds = commands({ home, isolation: rung, network, artifacts, background: createBackground(home, 2) });
      const onRefused = await finish(
        builds,
        anAction(home, builds, { inputs: refused.outputs, declaration: { commands: ['true'] } }),
      );
      expect(onRefused).toMatchObject({
        kind: 'failed',
        error: { message: expect.stringContaining('.git directory') },
      });
      served.git('rm', '-rq', 'GIT~2');
      const action = sourceOf(served.commit({}, `Less hostile ${rung.level}`));
      await finish(provider, action);
      const script =
        'cat big.bin | head -1; ls -A m .git 2>/dev/null | wc -l; GIT_DIR=/nonexistent git status 2>/dev/null; true';
      const build = anAction(home, builds, { inputs: action.outputs, declaration: { commands: [script] } });
      expect((await finish(builds, build)).kind).toBe('succeeded');
      expect(await readFile(build.logFile, 'utf8')).toContain('\nversion https://git-lfs.github.com/spec/v1\n0\n');
      expect((await readdir(root)).filter((name) => name.startsWith('hook-ran'))).toEqual([]);
    },
  );

  it('never writes the token to a file or a log', async () => {
    const sha = served.commit({ 'e.txt': 'e' }, 'Token');
    const action = sourceOf(sha);
    await finish(provider, action);
    const credentials = Buffer.from(`x-access-token:${token}`).toString('base64');
    for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const text = await readFile(join(entry.parentPath, entry.name), 'latin1');
      expect(text.includes(token) || text.includes(credentials), entry.name).toBe(false);
    }
  });
});

describe('CODEBUILD_CLONE_REF (CP-B-17)', () => {
  const isolation = bestRung;
  const clone = async (spec: string) => {
    const first = served.commit({ 'buildspec.yml': spec, 'f.txt': 'f' }, 'Tagged');
    served.git('tag', '--force', 'v1.0');
    const sha = served.commit({ 'g.txt': 'g' }, 'After the tag');
    const source = sourceOf(sha, { configuration: { ...configuration, OutputArtifactFormat: 'CODEBUILD_CLONE_REF' } });
    expect((await finish(provider, source)).kind).toBe('succeeded');
    return { first, sha, input: source.outputs[0]! };
  };

  it('gives a CodeBuild action a real clone with its history, without a way to the token', async () => {
    const spec =
      'version: 0.2\nphases: {build: {commands: [git describe --tags, git log --format=%s -2, git status --short, git remote get-url origin, cat .git/config]}}\n';
    const { input } = await clone(spec);
    const build = codeBuild(
      {
        home,
        isolation,
        network: 'host',
        artifacts,
        background: createBackground(home, 1),
        project: () => Promise.resolve(null),
      },
      'Build',
    );
    const action = anAction(home, build, { inputs: [input], configuration: { ProjectName: 'unit' } });
    expect(await finish(build, action)).toMatchObject({ kind: 'succeeded' });
    const log = await readFile(action.logFile, 'utf8');
    expect(log).toMatch(/v1\.0-1-g[0-9a-f]+\n/);
    expect(log).toContain('After the tag\nTagged\n');
    expect(log).toContain(`\n${served.url}\n`);
    expect(log).not.toContain(home.concat('/repositories'));
    expect(log).not.toContain(token);
    const stranger = anAction(home, build, {
      inputs: [input],
      repository: { id: 43, owner: 'acme', name: 'other', installationId: 7 },
      configuration: { ProjectName: 'unit' },
    });
    expect(await finish(build, stranger)).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('another repository') },
    });
  });

  it('cannot be read by a Commands action (CP-F-12)', async () => {
    const { input } = await clone('version: 0.2\nphases: {build: {commands: ["true"]}}\n');
    const run = commands({ home, isolation, network: 'host', artifacts, background: createBackground(home, 1) });
    const action = anAction(home, run, { inputs: [input], declaration: { commands: ['true'] } });
    expect(await finish(run, action)).toMatchObject({
      kind: 'failed',
      error: { code: 'ConfigurationError', message: expect.stringContaining('write CODE_ZIP') },
    });
  });
});

describe('what a source action refuses', () => {
  it.each([
    '-x',
    '--config=x',
    'ext::sh -c id',
    'file:///etc',
    'HEAD:../../x',
    '@{upstream}',
    'main',
    'abc1234',
    'A'.repeat(40),
  ])('the revision %j, before git sees it (SEC-D-03)', async (revision) => {
    const before = served.requests.length;
    const report = await finish(provider, sourceOf(revision));
    expect(report).toMatchObject({ kind: 'failed', error: { code: 'ConfigurationError' } });
    expect(served.requests.length).toBe(before);
  });

  it('a commit that is gone (CP-F-1, SEC-C-02)', async () => {
    const report = await finish(provider, sourceOf('c'.repeat(40)));
    expect(report).toMatchObject({
      kind: 'failed',
      error: { code: 'ConfigurationError', message: expect.stringContaining('does not exist any more') },
    });
  });

  it('a repository that the App cannot read', async () => {
    const stranger = codeStarSourceConnection({
      home: join(root, 'other'),
      path: process.env['PATH'] ?? '',
      gitEnvironment: {},
      fetchAccess: () => Promise.resolve({ url: served.url, token: 'wrong' }),
      artifacts,
      background: createBackground(join(root, 'other'), 1),
    });
    const report = await finish(stranger, sourceOf('c'.repeat(40)));
    expect(report).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('Check that the GitHub App is installed') },
    });
  });

  it.each([['another repository', { FullRepositoryId: 'acme/other' }, 'can read no other repository']])(
    '%s',
    async (_name, more, words) => {
      const report = await finish(provider, sourceOf('c'.repeat(40), { configuration: { ...configuration, ...more } }));
      expect(report).toMatchObject({ kind: 'failed', error: { message: expect.stringContaining(words) } });
    },
  );

  it('a transport that is not http', async () => {
    const local = codeStarSourceConnection({
      home: join(root, 'local'),
      path: process.env['PATH'] ?? '',
      gitEnvironment: {},
      fetchAccess: () => Promise.resolve({ url: `file://${served.directory}`, token }),
      artifacts,
      background: createBackground(join(root, 'local'), 1),
    });
    expect(await finish(local, sourceOf('c'.repeat(40)))).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('http or https only') },
    });
  });
});
