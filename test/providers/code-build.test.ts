import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findMarked } from '../../src/buildspec/processes.ts';
import type { BuildRecord } from '../../src/buildspec/build-record.ts';
import { nameOfToken } from '../../src/providers/action-record.ts';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import { createBackground } from '../../src/providers/background.ts';
import { codeBuild } from '../../src/providers/code-build.ts';
import type { BuildConfiguration, ProjectSettings } from '../../src/providers/build-project.ts';
import { readFindings } from '../../src/providers/findings-file.ts';
import { buildRecordPath } from '../../src/providers/build-phases.ts';
import { unzip } from '../../src/providers/zip.ts';
import { availableRungs, temporaryDirectory } from '../buildspec/rungs.ts';
import { anAction, artifact, finish, untilEnded, type ActionChange, type TestAction } from './action.ts';
import { describeProviderContract } from './contract.ts';
import { zipOf } from './zip-of.ts';

const root = await temporaryDirectory();
const home = join(root, 'home');
const artifacts = openArtifactStore(home);
const rungs = await availableRungs();
const best = rungs[0]!;
const webUrl = 'https://github.example';
const projects: Record<string, ProjectSettings> = {};

function provider(isolation = best) {
  const project = (name: string) => Promise.resolve(projects[name] ?? null);
  return codeBuild(
    { home, isolation, network: 'host', artifacts, background: createBackground(home, 4), project, webUrl },
    'Build',
  );
}

async function build(
  files: Parameters<typeof zipOf>[0],
  change: ActionChange = {},
): Promise<TestAction<BuildConfiguration>> {
  const input = artifact('Source');
  await artifacts.put(input.location, await zipOf(files));
  return anAction(home, provider(), {
    ...change,
    inputs: [input, ...(change.inputs ?? [])],
    configuration: { ProjectName: 'unit', ...change.configuration },
  });
}

function buildspec(body: string): { 'buildspec.yml': string } {
  return { 'buildspec.yml': `version: 0.2\n${body}` };
}

function logOf(action: TestAction<unknown>): string {
  return readFileSync(action.logFile, 'utf8').replace(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6}/g, 'AT');
}

function recordOf(action: TestAction<unknown>): BuildRecord {
  return JSON.parse(
    readFileSync(buildRecordPath(home, action.execution, action.actionExecution), 'utf8'),
  ) as BuildRecord;
}

function phasesOf(action: TestAction<unknown>): readonly string[] {
  return recordOf(action).phases.map((phase) =>
    phase.phaseStatus === undefined ? phase.phaseType : `${phase.phaseType} ${phase.phaseStatus}`,
  );
}

async function unpacked(location: { bucket: string; key: string }): Promise<string> {
  const directory = join(root, `unpacked-${location.key.replaceAll('/', '-')}`);
  await mkdir(directory);
  await unzip({ file: (await artifacts.get(location))!.file }, directory);
  return directory;
}

describeProviderContract('CodeBuild', {
  home,
  provider,
  succeeding: () => build(buildspec('phases: {build: {commands: [echo did the work]}}')),
  failing: () => build({ 'README.md': 'no buildspec' }),
  timesDone: (action) => logOf(action).split('\ndid the work\n').length - 1,
  ends: 'succeeded',
});

describe.each(rungs)('a build on the rung $level', (isolation) => {
  it('runs the four phases in one shell, in the words of CodeBuild (CP-B-1, CP 9.4)', async () => {
    const action = await build(
      buildspec(`
phases:
  install: {commands: ["X=kept", "mkdir sub", "cd sub"]}
  pre_build: {commands: ["export Y=exported"]}
  build: {commands: ['echo "$X $Y $(basename "$PWD") $CODEBUILD_BUILD_SUCCEEDING"', "exit 0", 'echo "after: $Y $(basename "$PWD")"']}
  post_build: {commands: ["touch done"]}
`),
    );
    const report = await finish(provider(isolation), action);
    expect(report).toMatchObject({
      kind: 'succeeded',
      externalId: expect.stringMatching(/^unit:[0-9a-f]{8}-[0-9a-f-]{27}$/),
    });
    expect(logOf(action)).toContain(
      '[Container] AT Entering phase BUILD\n[Container] AT Running command echo "$X $Y $(basename "$PWD") $CODEBUILD_BUILD_SUCCEEDING"\n' +
        'kept exported sub 1\n[Container] AT Running command exit 0\n' +
        '[Container] AT Running command echo "after: $Y $(basename "$PWD")"\nafter: exported sub\n' +
        '[Container] AT Phase complete: BUILD State: SUCCEEDED\n[Container] AT Phase context status code:  Message: \n',
    );
    expect(phasesOf(action)).toEqual([
      'SUBMITTED SUCCEEDED',
      'QUEUED SUCCEEDED',
      'PROVISIONING SUCCEEDED',
      'DOWNLOAD_SOURCE SUCCEEDED',
      'INSTALL SUCCEEDED',
      'PRE_BUILD SUCCEEDED',
      'BUILD SUCCEEDED',
      'POST_BUILD SUCCEEDED',
      'UPLOAD_ARTIFACTS SUCCEEDED',
      'FINALIZING SUCCEEDED',
      'COMPLETED',
    ]);
  });

  it('is stopped with everything that it started', async () => {
    const builder = provider(isolation);
    const action = await build(buildspec('phases: {build: {commands: ["setsid sleep 300 & sleep 300"]}}'));
    const first = await builder.start(action);
    await expect.poll(() => existsSync(action.logFile) && logOf(action)).toContain('Running command');
    await builder.stop?.(action);
    expect(await untilEnded(builder, action, first)).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('Build terminated with state: STOPPED') },
    });
    expect(findMarked(nameOfToken(action.token))).toEqual([]);
  });
});

describe('where a build goes', () => {
  it('stands in its record while it runs: the phase that it is in, and what the ones before took (CP 9.4)', async () => {
    const builder = provider();
    const action = await build(buildspec('phases: {pre_build: {commands: ["true"]}, build: {commands: [sleep 300]}}'));
    const first = await builder.start(action);
    const phases = async () => (await readFindings(home, action.execution, action.actionExecution)).phases;
    await expect.poll(async () => (await phases()).at(-1)?.phase, { timeout: 20_000 }).toBe('BUILD');
    expect(recordOf(action)).toMatchObject({ currentPhase: 'BUILD', buildComplete: false, buildStatus: 'IN_PROGRESS' });
    expect(recordOf(action).endTime).toBeUndefined();
    const [before, running] = (await phases()).slice(-2);
    expect(before).toMatchObject({ phase: 'PRE_BUILD', status: 'SUCCEEDED', endedAt: running?.startedAt });
    expect(running).toMatchObject({ status: 'IN_PROGRESS', attempts: 1 });
    expect(running?.endedAt).toBeUndefined();
    await builder.stop?.(action);
    await untilEnded(builder, action, first);
    expect((await phases()).map(({ phase, status }) => `${phase} ${status}`).slice(-2)).toEqual([
      'BUILD STOPPED',
      'FINALIZING SUCCEEDED',
    ]);
  });

  it('tells the first phase that failed, not the last (CP-B-9, CP-F-17, CP-P-4)', async () => {
    const action = await build(
      buildspec('phases: {build: {commands: ["exit 7"]}}\nartifacts: {files: ["none/**"]}\n'),
      { outputs: [artifact('Out')] },
    );
    expect(await finish(provider(), action)).toMatchObject({
      kind: 'failed',
      error: {
        code: 'JobFailed',
        message:
          'Build terminated with state: FAILED. BUILD: Error while executing command: exit 7. Reason: exit status 7',
      },
    });
  });

  it('says on which attempt it passed', async () => {
    const action = await build(
      buildspec('phases: {build: {on-failure: RETRY, commands: ["test -e x || { touch x; false; }"]}}\n'),
    );
    expect(await finish(provider(), action)).toMatchObject({ kind: 'succeeded', summary: 'BUILD passed on attempt 2' });
  });

  it('begins a line of its own where a command has printed half of one', async () => {
    const action = await build(buildspec('phases: {build: {commands: ["printf half", "printf more; exit 1"]}}\n'));
    await finish(provider(), action);
    expect(logOf(action)).toContain('half\n[Container] AT Running command printf more');
    expect(logOf(action)).toContain('more\n[Container] AT Command did not exit successfully');
  });

  it('in version 0.1 every command has a shell of its own', async () => {
    const action = await build({
      'buildspec.yml': `version: 0.1\nphases: {build: {commands: ["X=1; cd /usr", 'echo "[$X] $(basename "$PWD")"']}}\n`,
    });
    await finish(provider(), action);
    expect(logOf(action)).toContain('\n[] 0\n');
  });

  it('keeps exported variables over a command that leaves the shell with a failure', async () => {
    const action = await build(
      buildspec(
        'phases:\n  pre_build: {commands: ["export TAG=v1"]}\n  build: {commands: ["false || exit 3"]}\n  post_build: {commands: ["echo tag $TAG"]}\n',
      ),
    );
    expect((await finish(provider(), action)).kind).toBe('failed');
    expect(logOf(action)).toContain('\ntag v1\n');
  });

  it('times out as a whole', async () => {
    projects['quick'] = { timeoutInMinutes: 0.01, environment: [] };
    const action = await build(
      buildspec('phases:\n  build: {commands: [sleep 60]}\n  post_build: {commands: [echo RAN]}\n'),
      { configuration: { ProjectName: 'quick' } },
    );
    expect(await finish(provider(), action)).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringMatching(/TIMED_OUT\. BUILD: Build timed out/) },
    });
    expect(logOf(action)).not.toContain('RAN\n');
  });
});

describe('what a build sees', () => {
  it('variables of the pipeline over those of the project over those of the buildspec (CP-B-5)', async () => {
    projects['layers'] = {
      buildspec: 'ci/spec.yml',
      timeoutInMinutes: 5,
      environment: [
        { name: 'B', value: 'project', type: 'PLAINTEXT' },
        { name: 'C', value: 'project', type: 'PLAINTEXT' },
      ],
    };
    const spec =
      'version: 0.2\nenv: {variables: {A: spec, B: spec, C: spec}, exported-variables: [A, OUT, UNSET]}\nphases: {build: {commands: ["echo $A $B $C", "OUT=$C"]}}\n';
    const action = await build(
      { 'ci/spec.yml': spec },
      {
        configuration: {
          ProjectName: 'layers',
          EnvironmentVariables: JSON.stringify([{ name: 'C', value: 'pipeline; $(id)', type: 'PLAINTEXT' }]),
        },
      },
    );
    expect(await finish(provider(), action)).toMatchObject({
      kind: 'succeeded',
      outputVariables: { A: 'spec', OUT: 'pipeline; $(id)', UNSET: '' },
    });
    expect(logOf(action)).toContain('\nspec project pipeline; $(id)\n');
  });

  it('the environment of CodeBuild, and other inputs by name (CP 9.2, CP-B-15)', async () => {
    const primary = artifact('Code');
    const spec = buildspec(
      'phases: {build: {commands: ["env | grep ^CODEBUILD | sort", "cat $CODEBUILD_SRC_DIR_Source/d", "test $PWD = $CODEBUILD_SRC_DIR"]}}\n',
    );
    await artifacts.put(primary.location, await zipOf(spec));
    const action = await build(
      { d: 'from docs' },
      {
        inputs: [primary],
        configuration: { PrimarySource: 'Code' },
      },
    );
    expect((await finish(provider(), action)).kind).toBe('succeeded');
    const log = logOf(action);
    expect(log).toContain('from docs');
    expect([...log.matchAll(/^(CODEBUILD_\w+)=/gm)].map((match) => match[1])).toEqual([
      'CODEBUILD_BUILD_ARN',
      'CODEBUILD_BUILD_ID',
      'CODEBUILD_BUILD_IMAGE',
      'CODEBUILD_BUILD_NUMBER',
      'CODEBUILD_BUILD_SUCCEEDING',
      'CODEBUILD_BUILD_URL',
      'CODEBUILD_INITIATOR',
      'CODEBUILD_KMS_KEY_ID',
      'CODEBUILD_LOG_PATH',
      'CODEBUILD_PROJECT_ARN',
      'CODEBUILD_PUBLIC_BUILD_URL',
      'CODEBUILD_RESOLVED_SOURCE_VERSION',
      'CODEBUILD_SOURCE_REPO_URL',
      'CODEBUILD_SOURCE_VERSION',
      'CODEBUILD_SRC_DIR',
      'CODEBUILD_SRC_DIR_Source',
      'CODEBUILD_START_TIME',
    ]);
    expect(log).toMatch(/CODEBUILD_INITIATOR=codepipeline\/web\n/);
    expect(log).toMatch(/CODEBUILD_START_TIME=\d{13}\n/);
    expect(log).toContain(`CODEBUILD_BUILD_URL=${webUrl}/acme/web/commit/${'a'.repeat(40)}/checks\n`);
    const sourceVersion = `arn:aws:s3:::${primary.location.bucket}/${primary.location.key}`;
    expect(log).toContain(`CODEBUILD_SOURCE_VERSION=${sourceVersion}\n`);
    expect(recordOf(action).sourceVersion).toBe(sourceVersion);
    expect(log).toContain(`CODEBUILD_SOURCE_REPO_URL=${webUrl}/acme/web.git\n`);
  });

  it('the region that its buildspec sets, in place of ours (CP-B-5)', async () => {
    const env = 'env: {variables: {AWS_REGION: eu-west-9}}\n';
    const action = await build(buildspec(`${env}phases: {build: {commands: ['echo "region $AWS_REGION"']}}`));
    expect((await finish(provider(), action)).kind).toBe('succeeded');
    expect(logOf(action)).toContain('\nregion eu-west-9\n');
  });

  it('a number that counts the builds of its project, and no commit where none is known (CP 9.2)', async () => {
    const spec = buildspec(
      'phases: {build: {commands: ["echo N=$CODEBUILD_BUILD_NUMBER ${CODEBUILD_RESOLVED_SOURCE_VERSION-unset}"]}}\n',
    );
    const numbers: string[] = [];
    for (const ProjectName of ['counted', 'counted', 'other project']) {
      const action = await build(spec, { configuration: { ProjectName }, origin: { headSha: '' } });
      await finish(provider(), action);
      numbers.push(/^N=.*$/m.exec(logOf(action))?.[0] ?? '');
      expect(recordOf(action).buildNumber).toBe(Number(numbers.at(-1)?.slice(2, 3)));
    }
    expect(numbers).toEqual(['N=1 unset', 'N=2 unset', 'N=1 unset']);
  });

  it('an input whose name shells cannot read is told (CP-B-15)', async () => {
    const other = artifact('my-docs');
    await artifacts.put(other.location, await zipOf({ d: 'd' }));
    const action = await build(buildspec('phases: {build: {commands: ["true"]}}\n'), {
      inputs: [other],
      configuration: { PrimarySource: 'Source' },
    });
    expect((await finish(provider(), action)).kind).toBe('succeeded');
    expect(logOf(action)).toContain('Shells cannot read CODEBUILD_SRC_DIR_my-docs: name the artifact with letters');
  });

  it('secrets by reference, masked as a whole and by key, and never for a fork (SEC-C-06)', async () => {
    const spec = buildspec(`
env:
  secrets-manager: {TOKEN: "deploy:token", WHOLE: deploy}
  parameter-store: {URL: /app/url}
phases: {build: {commands: ["echo $TOKEN; echo $WHOLE; echo $URL; echo $TOKEN | base64"]}}
`);
    const secrets = { deploy: '{"token":"tok-secret-123"}', '/app/url': 'https://db.internal/pw' };
    const action = await build(spec, { secrets });
    expect((await finish(provider(), action)).kind).toBe('succeeded');
    const log = logOf(action);
    expect(log).not.toMatch(/tok-secret|db\.internal/);
    expect(log).not.toContain(Buffer.from('tok-secret-123').toString('base64').slice(0, 12));
    const fork = await build(spec, { secrets, trust: 'fork' });
    const report = await finish(provider(), fork);
    expect(report).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringMatching(/may not see|Install bubblewrap/) },
    });
  });

  it.each(rungs)('refuses a name that changes how tools work on the rung $level (SEC-C-09)', async (isolation) => {
    const EnvironmentVariables = JSON.stringify([{ name: 'BASH_ENV', value: './evil', type: 'PLAINTEXT' }]);
    const action = await build(buildspec('phases: {build: {commands: ["true"]}}'), {
      configuration: { EnvironmentVariables },
    });
    expect(await finish(provider(isolation), action)).toMatchObject({
      kind: 'failed',
      error: { code: 'ConfigurationError', message: expect.stringContaining('BASH_ENV cannot be set here') },
    });
  });

  it.each([
    ['a reserved name', [{ name: 'CODEBUILD_X', value: 'x', type: 'PLAINTEXT' }], 'CODEBUILD_X is reserved'],
    ['a secret that is not there', [{ name: 'T', value: 'nope', type: 'SECRETS_MANAGER' }], 'asks for the secret nope'],
    ['something that is no list', { a: 1 }, 'is not a JSON list'],
  ])('refuses %s (CP-P-5)', async (_name, variables, words) => {
    const action = await build(buildspec('phases: {build: {commands: ["true"]}}'), {
      configuration: { EnvironmentVariables: JSON.stringify(variables) },
    });
    expect(await finish(provider(), action)).toMatchObject({
      kind: 'failed',
      error: { code: 'ConfigurationError', message: expect.stringContaining(words) },
    });
    // Why nothing ran stands in the log and in the record of the build too (CP 9.4).
    expect(logOf(action)).toContain('Phase complete: DOWNLOAD_SOURCE State: FAILED');
    expect(logOf(action)).toMatch(new RegExp(`Phase context status code: CLIENT_ERROR Message: .*${words}`));
    expect(recordOf(action)).toMatchObject({ buildStatus: 'FAILED', buildComplete: true });
    expect(phasesOf(action).slice(3)).toEqual(['DOWNLOAD_SOURCE FAILED', 'COMPLETED']);
  });

  it.each([
    ['../outside.yml', /does not exist in the primary source/],
    ['/etc/passwd', /does not exist in the primary source/],
    ['missing.yml', /missing\.yml does not exist.*Correct the path/],
    ['large.yml', /large\.yml has more than 256 KiB\. Move long scripts into files/],
    ['folder', /folder is no file/],
    ['broken.yml', /YAML_FILE_ERROR: broken\.yml:2:1: "phasse" is not a key here/],
    ['link.yml', /does not exist in the primary source/],
  ])('a buildspec at %s is an error that says what to do', async (path, words) => {
    const files = { 'broken.yml': 'version: 0.2\nphasse: {}\n', 'link.yml': { text: 'broken/../dir', mode: 0o120777 } };
    Object.assign(files, { 'large.yml': `version: 0.2\n# ${'x'.repeat(1024 ** 2)}`, 'folder/a': 'a' });
    const action = await build(files, { configuration: { BuildspecOverride: path } });
    expect(await finish(provider(), action)).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringMatching(words) },
    });
  });

  it('a buildspec under a name that is nearly the usual one is pointed at', async () => {
    const action = await build({ 'buildspec.yaml': 'version: 0.2\nphases: {build: {commands: ["true"]}}\n' });
    expect(await finish(provider(), action)).toMatchObject({
      kind: 'failed',
      error: {
        message: expect.stringContaining(
          'buildspec.yml does not exist in the primary source. There is buildspec.yaml: rename it',
        ),
      },
    });
  });

  it('a broken buildspec is an annotation of its line, and the build ends in DOWNLOAD_SOURCE (CP 9.4)', async () => {
    const action = await build({ 'buildspec.yml': 'version: 0.2\nphasse: {}\n' });
    expect((await finish(provider(), action)).kind).toBe('failed');
    const { findings } = await readFindings(home, action.execution, action.actionExecution);
    expect(findings).toContainEqual({
      path: 'buildspec.yml',
      line: 2,
      column: 1,
      level: 'failure',
      title: 'Buildspec',
      message: expect.stringMatching(/^"phasse" is not a key here\. Did you mean phases\?/),
    });
    expect(phasesOf(action).slice(3)).toEqual(['DOWNLOAD_SOURCE FAILED', 'FINALIZING SUCCEEDED', 'COMPLETED']);
    expect(logOf(action)).toContain('Phase context status code: YAML_FILE_ERROR Message: buildspec.yml:2:1:');
  });

  it.each([
    'version: 0.2\nphases:\n  build:\n    commands: [cat a]\n',
    '{"version":0.2,"phases":{"build":{"commands":["cat a"]}}}',
  ])('a buildspec written in the pipeline itself: %j', async (BuildspecOverride) => {
    const action = await build({ a: 'a' }, { configuration: { BuildspecOverride } });
    expect((await finish(provider(), action)).kind).toBe('succeeded');
    expect(logOf(action)).toContain('the BuildspecOverride of the action, 60 minutes');
  });

  it('a buildspec that lies in S3 is not fetched, and the mend says where to put it', async () => {
    const action = await build({ a: 'a' }, { configuration: { BuildspecOverride: 'arn:aws:s3:::specs/b.yml' } });
    expect(await finish(provider(), action)).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('add the file to the repository') },
    });
  });
});

describe('what a build gives', () => {
  const make =
    'phases: {build: {commands: ["mkdir -p dist/css && echo 1 > dist/a.js && echo 2 > dist/a.js.map && echo 3 > dist/css/b.css && echo docs > README"]}}\n';

  it('one output is the top-level block, relative to its base directory, without what is excluded (CP-B-7, CP-B-16)', async () => {
    const output = artifact('Out');
    const action = await build(
      buildspec(`${make}artifacts: {files: ["**/*"], base-directory: dist, exclude-paths: ["**/*.map"]}\n`),
      { outputs: [output] },
    );
    expect((await finish(provider(), action)).kind).toBe('succeeded');
    const directory = await unpacked(output.location);
    expect(readFileSync(join(directory, 'css/b.css'), 'utf8')).toBe('3\n');
    expect(existsSync(join(directory, 'a.js.map'))).toBe(false);
  });

  it('a base directory may be a pattern of directories at the top (CP-B-7)', async () => {
    const output = artifact('Out');
    const spec =
      'phases: {build: {commands: ["mkdir -p dist-a/x dist-b && echo a > dist-a/x/a && echo b > dist-b/b && echo no > other"]}}\n';
    const action = await build(buildspec(`${spec}artifacts: {files: ["**/*"], base-directory: "dist-*"}\n`), {
      outputs: [output],
    });
    expect((await finish(provider(), action)).kind).toBe('succeeded');
    const directory = await unpacked(output.location);
    expect(readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual(['b', 'x', 'x/a']);
    expect(recordOf(action).artifacts).toEqual([
      { artifactIdentifier: 'Out', location: `arn:aws:s3:::${output.location.bucket}/${output.location.key}` },
    ]);
  });

  it('discard-paths puts all files at the top (CP-B-7)', async () => {
    const output = artifact('Out');
    const action = await build(buildspec(`${make}artifacts: {files: ["dist/**/*"], discard-paths: yes}\n`), {
      outputs: [output],
    });
    await finish(provider(), action);
    expect(existsSync(join(await unpacked(output.location), 'b.css'))).toBe(true);
  });

  it('of two files with one name the last stays, and the log says so (CP-B-7)', async () => {
    const output = artifact('Out');
    const commands = '["mkdir a b", "echo one > a/f", "echo two > b/f"]';
    const spec = buildspec(`phases: {build: {commands: ${commands}}}\nartifacts: {files: "*/f", discard-paths: yes}\n`);
    const action = await build(spec, { outputs: [output] });
    await finish(provider(), action);
    expect(readFileSync(join(await unpacked(output.location), 'f'), 'utf8')).toBe('two\n');
    expect(logOf(action)).toContain('1 file has the name of a later one and is left out of Out.');
  });

  it('two outputs are the secondary artifacts of their names (CP-B-16)', async () => {
    const [web, docs] = [artifact('web'), artifact('docs')];
    const action = await build(
      buildspec(
        `${make}artifacts:\n  files: [x]\n  secondary-artifacts:\n    web: {files: ["dist/**/*"]}\n    docs: {files: [README]}\n`,
      ),
      { outputs: [web, docs] },
    );
    expect((await finish(provider(), action)).kind).toBe('succeeded');
    expect(existsSync(join(await unpacked(docs.location), 'README'))).toBe(true);
    expect(existsSync(join(await unpacked(web.location), 'dist/a.js'))).toBe(true);
  });

  it.each([
    ['no artifacts in the buildspec', make, 1, 'the buildspec has no artifacts'],
    [
      'an output that no secondary artifact is named after',
      `${make}artifacts: {files: [x], secondary-artifacts: {One: {files: [README]}}}\n`,
      2,
      'Two is none of the buildspec',
    ],
    [
      'a base directory that is not there',
      `${make}artifacts: {files: ["**/*"], base-directory: build}\n`,
      1,
      'no matching base directory path found',
    ],
    [
      'a base directory that is a link out of the source',
      `phases: {build: {commands: ["ln -s /etc out"]}}\nartifacts: {files: ["**/*"], base-directory: out}\n`,
      1,
      'no matching base directory path found',
    ],
    [
      'patterns that match nothing (CP-B-9)',
      `${make}artifacts: {files: ["*.jar"]}\n`,
      1,
      'no matching artifact paths found',
    ],
  ])('%s fails the build and says so', async (_name, spec, outputs, words) => {
    const action = await build(buildspec(spec), { outputs: ['One', 'Two'].slice(0, outputs).map(artifact) });
    expect(await finish(provider(), action)).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining(words) },
    });
    expect(recordOf(action).phases.at(-3)).toMatchObject({
      phaseType: 'UPLOAD_ARTIFACTS',
      phaseStatus: 'FAILED',
      contexts: [{ statusCode: 'CLIENT_ERROR' }],
    });
  });

  it('a link to a directory is kept as a link, and a name that is no UTF-8 is told', async () => {
    const output = artifact('Out');
    const spec = (commands: string): string =>
      `phases: {build: {commands: ["${commands}"]}}\nartifacts: {files: ['**/*'], enable-symlinks: yes, base-directory: out}\n`;
    const linked = await build(
      buildspec(spec('mkdir -p out/v2; echo 2 > out/v2/f; ln -s v2 out/current; ln -s / out/root')),
      {
        outputs: [output],
      },
    );
    expect((await finish(provider(), linked)).kind).toBe('succeeded');
    const directory = await unpacked(output.location);
    expect(readFileSync(join(directory, 'current', 'f'), 'utf8')).toBe('2\n');
    expect(lstatSync(join(directory, 'current')).isSymbolicLink()).toBe(true);
    expect(existsSync(join(directory, 'root'))).toBe(false);
    const named = await build(buildspec(spec("mkdir out; printf 'echo > out/b\\\\377d' | sh")), {
      outputs: [artifact('Out')],
    });
    expect(await finish(provider(), named)).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('its name is not UTF-8. Rename it, or leave it out.') },
    });
  });

  it('links stay links when enable-symlinks is yes, and become files otherwise', async () => {
    for (const [key, expected] of [
      ['yes', true],
      ['no', false],
    ] as const) {
      const output = artifact('Out');
      const spec = `phases: {build: {commands: ["echo 1 > a; ln -s a b; ln -s /etc/passwd c"]}}\nartifacts: {files: [a, b, c], enable-symlinks: ${key}}\n`;
      expect((await finish(provider(), await build(buildspec(spec), { outputs: [output] }))).kind).toBe('succeeded');
      const directory = await unpacked(output.location);
      expect(lstatSync(join(directory, 'b')).isSymbolicLink()).toBe(expected);
      expect(existsSync(join(directory, 'c'))).toBe(false);
    }
  });

  it('findings from its log and its reports, at lines of the repository (CP-B-10)', async () => {
    const junit = `<testsuite><testcase name="adds" classname="sum"><failure message="expected 3">at sum (src/sum.js:2:5)</failure></testcase><testcase name="ok"/></testsuite>`;
    const action = await build({
      ...buildspec(
        'phases: {build: {commands: [\'echo "src/sum.js:9:3: error: unused variable x"; echo "src/sum.js:2:5: error: told by the report"\', \'exit 1\']}}\nreports: {unit: {files: ["out/*.xml"]}, gone: {files: [nothing.xml]}}\n',
      ),
      'src/sum.js': 'x\n',
      'out/junit.xml': junit,
    });
    await finish(provider(), action);
    const { findings, reports } = await readFindings(home, action.execution, action.actionExecution);
    expect(findings).toEqual([
      { path: 'src/sum.js', line: 2, level: 'failure', title: 'sum.adds', message: 'expected 3' },
      { path: 'src/sum.js', line: 9, column: 3, level: 'failure', message: 'unused variable x' },
    ]);
    expect(reports).toMatchObject([
      {
        group: 'unit',
        total: 2,
        passed: 1,
        failed: 1,
        failures: [{ name: 'sum.adds', message: 'expected 3', path: 'src/sum.js', line: 2 }],
      },
      { group: 'gone', total: 0, problems: ['No file matches nothing.xml.'] },
    ]);
  });

  it('at most 50 findings, those of failed tests first (SEC-D-14)', async () => {
    const cases = Array.from({ length: 40 }, (_, index) => {
      return `<testcase name="case ${index}"><failure message="no">at f (src/a.js:${index + 1}:1)</failure></testcase>`;
    });
    const errors = Array.from({ length: 40 }, (_, index) => `src/b.js:${index + 1}:1: error: no`).join('\n');
    const action = await build({
      ...buildspec('phases: {build: {commands: ["cat errors"]}}\nreports: {unit: {files: [out.xml]}}\n'),
      errors: `${errors}\n`,
      'src/a.js': '',
      'src/b.js': '',
      'out.xml': `<testsuite>${cases.join('')}</testsuite>`,
    });
    await finish(provider(), action);
    const { findings, reports } = await readFindings(home, action.execution, action.actionExecution);
    expect(findings.map(({ path }) => path)).toEqual([...Array(40).fill('src/a.js'), ...Array(10).fill('src/b.js')]);
    expect(reports).toMatchObject([{ failed: 40 }]);
  });

  it('reports below a base directory, in another format', async () => {
    const action = await build({
      ...buildspec(
        'phases: {build: {commands: ["true"]}}\nreports: {unit: {files: ["*.trx"], base-directory: out, file-format: VisualStudioTrx}}\n',
      ),
      'out/a.trx': '<TestRun><UnitTestResult testName="Ok" outcome="Passed"/></TestRun>',
      'other.trx': '<TestRun><UnitTestResult testName="No" outcome="Failed"/></TestRun>',
    });
    await finish(provider(), action);
    const { reports } = await readFindings(home, action.execution, action.actionExecution);
    expect(reports).toMatchObject([{ total: 1, passed: 1, format: 'VISUALSTUDIOTRX', problems: [] }]);
  });
});

describe.each(rungs)('a cache on the rung $level', (isolation) => {
  const spec = buildspec(`
phases:
  build:
    commands:
      - 'test -L deps/.bin/tool && echo "HIT $(cat deps/.bin/tool) $(cat ~/.m/x)" || echo MISS'
      - 'mkdir -p deps/lib deps/.bin ~/.m; echo $WHO > deps/lib/tool; ln -sf ../lib/tool deps/.bin/tool; echo home > ~/.m/x'
cache: {paths: ["deps/**/*", "~/.m/**/*"]}
`);
  const from = async (who: string, origin: ActionChange['origin'], trust: 'repository' | 'fork' = 'repository') => {
    const EnvironmentVariables = JSON.stringify([{ name: 'WHO', value: who, type: 'PLAINTEXT' }]);
    const action = await build(spec, {
      ...(origin === undefined ? {} : { origin }),
      trust,
      configuration: { ProjectName: `cached-${isolation.level}`, EnvironmentVariables },
    });
    await finish(provider(isolation), action);
    return /^(?:HIT .*|MISS)$/m.exec(logOf(action))?.[0];
  };
  const main = { headSha: 'a'.repeat(40), branch: 'main' };
  const pullRequest = (number: number) => ({
    headSha: 'b'.repeat(40),
    branch: 'topic',
    pullRequest: { number, title: 't', baseRef: 'main' },
  });

  it('is taken up by the next build, with its links; a pull request reads its base but never writes to it (SEC-C-10)', async () => {
    expect(await from('main1', main)).toBe('MISS');
    expect(await from('main2', main)).toBe('HIT main1 home');
    expect(await from('pr1', pullRequest(1))).toBe('HIT main2 home');
    expect(await from('pr1again', pullRequest(1))).toBe('HIT pr1 home');
    expect(await from('pr2', pullRequest(2))).toBe('HIT main2 home');
    expect(await from('main3', main)).toBe('HIT main2 home');
  });

  it.runIf(isolation.contained)('of a fork is seen by nobody else (SEC-C-10)', async () => {
    expect(await from('fork', { ...pullRequest(9), headSha: 'f'.repeat(40) }, 'fork')).toBe('MISS');
    expect(await from('other', { ...pullRequest(9), headSha: 'e'.repeat(40) }, 'fork')).toBe('MISS');
    expect(await from('pr9', pullRequest(9))).toBe('HIT main3 home');
  });
});

it('of two timeouts, of the project and of the action, the shorter one counts', async () => {
  projects['timed'] = { environment: [], timeoutInMinutes: 7 };
  for (const [timeoutInMinutes, expected] of [
    [9, 7],
    [5, 5],
  ] as const) {
    const configuration = { ProjectName: 'timed' };
    const spec = buildspec('phases: {build: {commands: ["true"]}}\n');
    const action = await build(spec, { configuration, declaration: { timeoutInMinutes } });
    await finish(provider(), action);
    expect(recordOf(action).timeoutInMinutes).toBe(expected);
  }
});

describe('a cache', () => {
  const main = { headSha: 'a'.repeat(40), branch: 'main' };

  it('has a key of variables, commands and hashes of files, and is kept once for each (CP 9.1)', async () => {
    const keyed = (lock: string) =>
      build(
        {
          ...buildspec(`
phases: {build: {commands: ["cat deps/a || echo MISS", "mkdir -p deps && echo HIT $CODEBUILD_BUILD_NUMBER > deps/a"]}}
cache: {paths: ["deps/*"], key: 'npm-$(codebuild-hash-files "*.lock")-$(echo $MODE)', fallback-keys: [npm-none]}
env: {variables: {MODE: fast}}
`),
          'package.lock': lock,
        },
        { origin: main, configuration: { ProjectName: 'keyed' } },
      );
    const printed: (string | undefined)[] = [];
    for (const lock of ['one', 'one', 'two', 'one']) {
      const action = await keyed(lock);
      await finish(provider(), action);
      printed.push(/^(?:HIT \d+|MISS)$/m.exec(logOf(action))?.[0]);
    }
    expect(printed).toEqual(['MISS', 'HIT 1', 'MISS', 'HIT 1']);
    const keys = (await artifacts.list('penstock-cache', '42/keyed/')).map(({ location }) => location.key);
    expect(keys).toEqual([expect.stringMatching(/npm-[0-9a-f]{64}-fast$/), expect.stringMatching(/-fast$/)]);
  });

  it('of a build that failed is not kept', async () => {
    const failing = buildspec(
      'phases: {build: {commands: ["mkdir deps && echo a > deps/a && exit 1"]}}\ncache: {paths: ["deps/*"]}\n',
    );
    const action = await build(failing, { origin: main, configuration: { ProjectName: 'failing' } });
    expect((await finish(provider(), action)).kind).toBe('failed');
    expect(await artifacts.list('penstock-cache', '42/failing/')).toEqual([]);
  });

  it('falls back to the newest cache whose key begins so, and is only restored or only saved when action says so', async () => {
    const once = async (cache: string) => {
      const action = await build(
        buildspec(
          `phases: {build: {commands: ["cat deps/a || echo MISS", "mkdir -p deps && echo HIT from ${/k\d/.exec(cache)?.[0]} > deps/a"]}}\ncache: {paths: ["deps/*"], ${cache}}\n`,
        ),
        { origin: main, configuration: { ProjectName: 'falling' } },
      );
      await finish(provider(), action);
      return /^(?:HIT .*|MISS)$/m.exec(logOf(action))?.[0];
    };
    expect(await once('key: k1, action: restore')).toBe('MISS');
    expect(await once('key: k1')).toBe('MISS');
    expect(await once('key: k1, action: save')).toBe('MISS');
    expect(await once('key: other, fallback-keys: [none, k]')).toBe('HIT from k1');
    // What fails inside a command of the key may be asked by it.
    expect(await once(`key: 'k$([ -z "$(false)" ] && echo 1)'`)).toBe('HIT from k1');
  });

  it.each([
    ['$(no-such-tool)', 'no-such-tool: not found'],
    ['k-$(no-such-tool)-$(echo b)', 'no-such-tool: not found'],
    ['k-`no-such-tool`', 'no-such-tool: not found'],
    ['k-$(exit 3)', 'a command in it fails'],
    ['k-$(exit 3', 'Syntax error'],
    ['$NOWHERE', 'nothing is left of it'],
  ])('whose key %s cannot be worked out fails the build: %s', async (key, why) => {
    const action = await build(
      buildspec(`phases: {build: {commands: ["true"]}}\ncache: {paths: [a], key: '${key}'}\n`),
    );
    const { error } = (await finish(provider(), action)) as { readonly error?: { readonly message: string } };
    expect(error?.message).toMatch(/^The cache key .* cannot be worked out: .*Mend cache: in the buildspec\.$/s);
    expect(error?.message).toContain(why);
  });
});

describe('what is refused when a pipeline is read; batch builds export nothing here, because they do not run (CP-V-9)', () => {
  it.each([
    [{ ProjectName: 'x', BatchEnabled: 'true' }, 'Batch builds do not run'],
    [{}, 'expected string'],
    [{ ProjectName: 'x', Unknown: '1' }, 'Unknown'],
  ])('%j', (configuration, words) => {
    const result = provider().configuration.safeParse(configuration);
    expect(result.success).toBe(false);
    expect(JSON.stringify(result.error?.issues)).toContain(words);
  });

  it('two inputs need PrimarySource, and it must be one of them', async () => {
    const other = artifact('Docs');
    await artifacts.put(other.location, await zipOf({ d: 'd' }));
    for (const [configuration, words] of [
      [{}, 'write PrimarySource'],
      [{ PrimarySource: 'Nope' }, 'which is no input artifact'],
    ] as const) {
      const action = await build(buildspec('phases: {build: {commands: ["true"]}}'), {
        inputs: [other],
        configuration,
      });
      expect(await finish(provider(), action)).toMatchObject({
        kind: 'failed',
        error: { message: expect.stringContaining(words) },
      });
    }
  });
});
