import { describe, expect, test } from 'vitest';
import { loadConfiguration } from '../../src/config/load.ts';
import { TransientError, UserError } from '../../src/errors.ts';
import { formatProblem } from '../../src/pipeline/problem.ts';

const repository = { id: 42, owner: 'acme', name: 'web', installationId: 5 };
const sha = 'a'.repeat(40);
const config = '.github/penstock.yml';

const source = `
      - name: Source
        actions:
          - name: App
            actionTypeId: { category: Source, owner: AWS, provider: CodeStarSourceConnection, version: "1" }
            configuration: { ConnectionArn: "arn:aws:codeconnections:eu-west-1:111122223333:connection/1", FullRepositoryId: acme/web, BranchName: main }
            outputArtifacts: [{ name: App }]`;
const release = `
      - name: Release
        actions:
          - name: Approve
            actionTypeId: { category: Approval, owner: AWS, provider: Manual, version: "1" }`;

function inline(more = ''): string {
  return `pipelines:\n  web:\n    stages:${source}${release}\n${more}`;
}

const stages = `${source}${release}`.replaceAll('\n      ', '\n  ');
const definition = `pipeline:
  name: web
  roleArn: arn:aws:iam::111122223333:role/x
  artifactStore: { type: S3, location: some-bucket }
  stages:${stages}
`;

/** A repository at one commit, and how often each file was asked for. */
function repositoryWith(files: Record<string, string | Error>) {
  const asked: string[] = [];
  return {
    asked,
    async readFile(_: unknown, path: string) {
      asked.push(path);
      const file = files[path];
      if (file instanceof Error) throw file;
      return file ?? null;
    },
  };
}

async function loaded(files: Record<string, string | Error>) {
  const result = await loadConfiguration(repositoryWith(files), repository, sha);
  if (result.kind !== 'ok') throw new Error(JSON.stringify(result));
  return result;
}

describe('the configuration of a repository at a commit', () => {
  test('none means that the repository says nothing', async () => {
    expect(await loadConfiguration(repositoryWith({}), repository, sha)).toEqual({ kind: 'none' });
  });

  test('definitions come from the same commit, inline or from files', async () => {
    const files = {
      [config]: `${inline()}  file: { definition: ci/web.yml }\n  aws: { engine: aws }\n`,
      'ci/web.yml': definition,
    };
    const result = await loaded(files);
    expect(Object.keys(result.definitions)).toEqual(['web', 'file']);
    expect(result.definitions['file']?.stages.map((stage) => stage.name)).toEqual(['Source', 'Release']);
    expect(result.brokenPipelines).toEqual({});
    expect(result.definitions['constructor']).toBeUndefined();
  });

  test('the digest changes with any text that was read, and with nothing else', async () => {
    const files = { [config]: 'pipelines: { a: { definition: x.yml } }', 'x.yml': definition };
    const one = await loaded(files);
    const again = await loaded({ ...files, 'unrelated.yml': 'x' });
    const other = await loaded({ ...files, 'x.yml': `${definition}\n# changed` });
    expect(one.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(again.digest).toBe(one.digest);
    expect(other.digest).not.toBe(one.digest);
  });

  test('a broken file is told whole', async () => {
    const result = await loadConfiguration(repositoryWith({ [config]: 'pipelins: {}' }), repository, sha);
    expect(result.kind === 'broken' && result.problems.map(formatProblem)).toEqual([
      '.github/penstock.yml:1:1: `pipelines` is missing. Add it: keys with values.',
      '.github/penstock.yml:1:1: `pipelins` is not a key that Penstock knows. Known keys here: pipelines, projects, commands, statusComment.',
    ]);
  });

  test('a file that GitHub will not give is told with the reason', async () => {
    const big = new UserError('.github/penstock.yml is larger than 1 MB. Make it smaller.');
    const result = await loadConfiguration(repositoryWith({ [config]: big }), repository, sha);
    expect(result.kind === 'broken' && result.problems.map(formatProblem)).toEqual([
      '.github/penstock.yml:1:1: The file cannot be used. .github/penstock.yml is larger than 1 MB. Make it smaller.',
    ]);
  });

  test('GitHub being away is not a broken file', async () => {
    const away = repositoryWith({ [config]: new TransientError('away') });
    await expect(loadConfiguration(away, repository, sha)).rejects.toThrow(TransientError);
  });
});

describe('one broken pipeline leaves the others alone', () => {
  async function brokenLines(text: string, files: Record<string, string> = {}) {
    const result = await loaded({ [config]: text, ...files });
    return Object.fromEntries(
      Object.entries(result.brokenPipelines).map(([name, problems]) => [name, problems.map(formatProblem)]),
    );
  }

  test('a definition that is not there', async () => {
    expect(await brokenLines(`${inline()}  other: { definition: ci/x.yml }\n`)).toEqual({
      other: [
        '.github/penstock.yml:14:24: There is no file ci/x.yml at this commit. Add the file, or correct the path: it is read from the root of the repository.',
      ],
    });
  });

  test('a definition with a mistake is told in its own file', async () => {
    const lines = await brokenLines('pipelines: { a: { definition: x.yml } }', { 'x.yml': 'name: [' });
    expect(lines['a']?.[0]).toMatch(/^x\.yml:1:8: /);
  });

  test('a mistake inside inline stages is told at its place in penstock.yml', async () => {
    const lines = await brokenLines(inline().replace('category: Approval', 'category: Aproval'));
    expect(lines['web']?.[0]).toMatch(/^\.github\/penstock\.yml:13:39: /);
  });

  test('a policy for a gate that does not exist, and a lock on a stage that does not', async () => {
    const text = inline('    gates: { Release/Aprove: { count: 2 } }\n    exclusive: [Deploy]\n');
    expect(await brokenLines(text)).toEqual({
      web: [
        '.github/penstock.yml:14:14: The definition has no manual approval `Release/Aprove`. Its approvals are Release/Approve.',
        '.github/penstock.yml:15:5: `exclusive` names the stage `Deploy`, which the definition does not have. Its stages are Source, Release.',
      ],
    });
  });

  test('an action that only the AWS engine runs is an error in its own file, and not only a warning (CP-P-6)', async () => {
    const ship =
      '  - name: Ship\n    actions: [{ name: Out, actionTypeId: { category: Deploy, owner: AWS, provider: EKS, version: "1" }, inputArtifacts: [{ name: App }] }]\n';
    const lines = await brokenLines('pipelines: { a: { definition: x.yml } }', { 'x.yml': `${definition}${ship}` });
    expect(lines['a']).toEqual([
      "x.yml:17:74: The embedded engine cannot run ActionType (Category: 'Deploy', Provider: 'EKS', Owner: 'AWS', Version: '1') of action 'Out'. To let AWS run this pipeline, write `engine: aws` for it in .github/penstock.yml and bind it under `bindings` in penstock.server.yml. To run it here, deploy from a Commands or CodeBuild action.",
    ]);
  });

  test('filters beside the triggers of a definition are a warning', async () => {
    const triggers = `  pipelineType: V2\n  triggers: [{ providerType: CodeStarSourceConnection, gitConfiguration: { sourceActionName: App, push: [{ branches: { includes: [main] } }] } }]\n`;
    const result = await loaded({
      [config]: 'pipelines: { a: { definition: x.yml, on: {} } }',
      'x.yml': `${definition}${triggers}`,
    });
    expect(result.warnings.map(formatProblem)).toContain(
      ".github/penstock.yml:1:38: These filters are not used: the definition's own triggers decide. Remove `on:`, or the triggers of the definition.",
    );
  });
});

describe('what was read of a commit is kept', () => {
  test('each file is asked for once', async () => {
    const github = repositoryWith({
      [config]: 'pipelines: { a: { definition: x.yml }, b: { definition: x.yml } }',
      'x.yml': definition,
    });
    const first = await loadConfiguration(github, repository, sha);
    expect(await loadConfiguration(github, repository, sha)).toBe(first);
    expect(github.asked).toEqual([config, 'x.yml']);
  });

  test('another commit and another repository are read anew', async () => {
    const github = repositoryWith({ [config]: inline() });
    await loadConfiguration(github, repository, sha);
    await loadConfiguration(github, repository, 'b'.repeat(40));
    await loadConfiguration(github, { ...repository, id: 43 }, sha);
    expect(github.asked).toHaveLength(3);
  });

  test('SEC-F-09 a file that was missing is looked for again', async () => {
    const files: Record<string, string> = {};
    const github = repositoryWith(files);
    expect(await loadConfiguration(github, repository, sha)).toEqual({ kind: 'none' });
    files[config] = 'pipelines: { a: { definition: x.yml } }';
    expect(await loadConfiguration(github, repository, sha)).toMatchObject({ brokenPipelines: { a: [{ line: 1 }] } });
    files['x.yml'] = definition;
    expect(await loadConfiguration(github, repository, sha)).toMatchObject({ definitions: { a: { name: 'web' } } });
  });
});
