import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test, vi } from 'vitest';
import { readServerConfig } from '../../src/config/server.ts';
import { doorBench } from '../codepipeline-api/door-bench.ts';
import { testDatabase } from '../database.ts';
import { startWorld } from '../world.ts';
import { startAwsFront } from './aws-front.ts';
import { askDoor } from './aws-wire.ts';
import { shop } from './bench.ts';

/**
 * docs/aws.md as its reader walks it: the files and commands of the page, word for word. AWS is our own door with the
 * embedded engine behind it, reached by the AWS CLI and by the SDK through the addresses of the environment.
 */
const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const page = await readFile(join(root, 'docs/aws.md'), 'utf8');
const blocks = [...page.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language = '', text = '']) => ({
  language,
  text,
}));
const [bindings = '', repositoryFile = ''] = blocks
  .filter(({ language }) => language === 'yaml')
  .map(({ text }) => text);
const [makeRole = '', look = ''] = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);

const awsCli = await run('aws', ['--version']).catch(() => undefined);
if (!awsCli) console.log('skipped: the walk of docs/aws.md, because the AWS CLI is not here (pip install awscli)');

const bench = await doorBench(await testDatabase());
const anonymous = await bench.serve({ anonymous: true });
const front = await startAwsFront(askDoor(() => anonymous.url));
const cwd = await mkdtemp(join(tmpdir(), 'penstock-walk-'));
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(cwd, { recursive: true, force: true });
});
const env = {
  PATH: process.env['PATH'] ?? '',
  HOME: cwd,
  PENSTOCK_HOME: join(cwd, 'home'),
  AWS_ACCESS_KEY_ID: 'AKIAOWN',
  AWS_SECRET_ACCESS_KEY: 'own-secret',
  AWS_DEFAULT_REGION: 'eu-west-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_PAGER: '',
  AWS_ENDPOINT_URL: front,
};

const withPenstock = { ...env, PATH: `${cwd}:${env.PATH}` };

/** The pipeline that the reader has, with artifacts as AWS wants them. */
async function anExistingPipeline(): Promise<void> {
  const { variables: _variables, stages = [], ...rest } = shop;
  const [source, build, release] = stages;
  const declared = {
    ...rest,
    artifactStore: { type: 'S3' as const, location: 'shop-artifacts' },
    stages: [
      {
        ...source,
        actions: source?.actions?.map((one) => ({
          ...one,
          configuration: sourceOf,
          outputArtifacts: [{ name: 'Src' }],
        })),
      },
      {
        ...build,
        actions: build?.actions?.map((one) => ({
          ...one,
          configuration: { ProjectName: `shop-${one.name}` },
          inputArtifacts: [{ name: 'Src' }],
        })),
      },
      release,
    ],
  };
  await bench.client.createPipeline({ pipeline: declared as never });
  await bench.engine.settled();
  // Making it started it: what waits at its gate would hold the stage for all that come later.
  const { pipelineExecutionSummaries: [first] = [] } = await bench.client.listPipelineExecutions({
    pipelineName: 'shop-prod',
  });
  await bench.client.stopPipelineExecution({
    pipelineName: 'shop-prod',
    pipelineExecutionId: first?.pipelineExecutionId,
    abandon: true,
  });
}
const sourceOf = {
  ConnectionArn: 'arn:aws:codestar-connections:eu-west-1:111122223333:connection/1',
  FullRepositoryId: 'acme/shop',
  BranchName: 'main',
};

test.skipIf(!awsCli)('from an existing pipeline to stages on a pull request, as docs/aws.md says', async () => {
  await anExistingPipeline();
  const before = await run('aws', ['codepipeline', 'get-pipeline', '--name', 'shop-prod'], { env });

  // 1. The binding.
  await writeFile(join(cwd, 'penstock.server.yml'), bindings);

  // 2. The role. Its stack is made by AWS, which is not here: the line that makes it has to name what is there.
  await writeFile(join(cwd, 'penstock'), `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'src/cli.ts')}" "$@"\n`, {
    mode: 0o755,
  });
  await symlink(join(root, 'deploy'), join(cwd, 'deploy'));
  const withoutStack = makeRole.replace(
    /^aws cloudformation create-stack/m,
    'test -s deploy/aws/penstock.yml && test -s parameters.json && : ',
  );
  expect(withoutStack).not.toBe(makeRole);
  await run('sh', ['-ec', withoutStack], { cwd, env: withPenstock });
  const parameters = JSON.parse(await readFile(join(cwd, 'parameters.json'), 'utf8')) as {
    ParameterKey: string;
    ParameterValue: string;
  }[];
  const given = Object.fromEntries(
    parameters.map(({ ParameterKey, ParameterValue }) => [ParameterKey, ParameterValue]),
  );
  expect(given['PipelineName']).toBe('shop-prod');
  expect(given['ExplainBuilds']).toContain(':project/shop-Unit');

  // 3. Penstock's own identity.
  // It ends with 1, because no App is registered here.
  const seen = await run('sh', ['-c', `${look.trim()} || true`], { cwd, env: withPenstock });
  expect(seen.stdout).toMatch(/^ok +AWS pipeline shop of acme\/shop: shop-prod in eu-west-1/m);

  // 4. The file in the repository, and a pull request.
  for (const [name, value] of Object.entries(env)) if (name.startsWith('AWS_')) vi.stubEnv(name, value);
  const read = readServerConfig(bindings, 'penstock.server.yml');
  if (!read.ok) throw new Error('the binding of the page cannot be read');
  const world = await startWorld({ server: { bindings: read.config.bindings } });
  try {
    world.github.createAccount({ login: 'dev' });
    const files = { '.github/penstock.yml': repositoryFile, 'README.md': 'hello\n' };
    await world.github.createRepository({ owner: 'acme', name: 'shop', files });
    world.github.setPermission('acme/shop', 'dev', 'write');
    world.github.install({ owner: 'acme' });
    await world.settled();
    const change = { branch: 'one', author: 'dev', message: 'Change', files: { 'README.md': 'changed\n' } };
    const sha = await world.github.commit('acme/shop', change);
    bench.engine.answers['App'] = () => ({
      kind: 'succeeded',
      outputVariables: {},
      revision: { actionName: 'App', revisionId: sha },
    });
    await world.github.openPullRequest('acme/shop', { head: 'one', author: 'dev', title: 'A change' });
    await vi.waitFor(
      async () => {
        await bench.engine.settled();
        expect(world.check('acme/shop', sha, 'shop / Release')).toMatch(
          /^completed\/action_required: Waiting for approval/,
        );
      },
      { timeout: 60_000, interval: 500 },
    );
    expect(world.checks('acme/shop', sha).map((line) => line.split(':')[0])).toEqual([
      'shop / Build',
      'shop / Release',
      'shop / Source',
      'shop',
    ]);
    expect(world.check('acme/shop', sha, 'shop / Build')).toMatch(/^completed\/success/);
  } finally {
    await world.stop();
  }
  const after = await run('aws', ['codepipeline', 'get-pipeline', '--name', 'shop-prod'], { env });
  expect(after.stdout).toBe(before.stdout);
});
