import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { digestOf } from '../../src/pipeline/digest.ts';
import { formatProblem } from '../../src/pipeline/problem.ts';
import { notRunnable } from '../../src/pipeline/runnable.ts';
import { readDeclarationValue, readDefinition } from '../../src/pipeline/read-definition.ts';
import { declarationOf } from './pipelines.ts';

const bare = {
  roleArn: 'arn:aws:iam::111122223333:role/pipe',
  artifactStore: { type: 'S3', location: 'bucket' },
  ...declarationOf({ stages: { Source: ['App'], Build: ['Unit'] } }),
};

describe('CP 1.1: what the reader takes', () => {
  const metadata = { pipelineArn: 'arn', created: 1 };
  it.each([
    ['the bare declaration', JSON.stringify(bare)],
    ['what update-pipeline takes', JSON.stringify({ pipeline: bare })],
    ['what get-pipeline prints', JSON.stringify({ pipeline: bare, metadata }, null, '\t')],
    ['YAML', stringify(bare)],
    ['YAML of get-pipeline', stringify({ pipeline: bare, metadata })],
  ])('%s', (_name, text) => {
    const read = readDefinition(text, 'pipe.json');
    expect(read.ok && read.definition.stages.map((stage) => stage.name)).toEqual(['Source', 'Build']);
  });

  it('CP-D-1: fills in the defaults that the service echoes', () => {
    const read = readDefinition(
      `name: web
roleArn: arn:aws:iam::111122223333:role/pipe
artifactStore: { type: S3, location: bucket }
stages:
  - name: Source
    actions:
      - name: App
        actionTypeId: { category: Source, owner: AWS, provider: CodeCommit, version: "1" }
        configuration: { RepositoryName: web, BranchName: main }
        outputArtifacts: [{ name: App }]
  - name: Gate
    actions:
      - name: Approve
        actionTypeId: { category: Approval, owner: AWS, provider: Manual, version: "1" }
`,
      'pipe.yml',
    );
    expect(read).toMatchObject({
      ok: true,
      definition: { version: 1, executionMode: 'SUPERSEDED', pipelineType: 'V1', variables: [], triggers: [] },
      warnings: [{ rule: 'CP-P-6', line: 8, path: 'stages[0].actions[0].actionTypeId.provider' }],
    });
    expect(read.ok && read.definition.stages[1]?.actions[0]).toMatchObject({
      runOrder: 1,
      configuration: {},
      inputArtifacts: [],
      outputArtifacts: [],
    });
  });

  it('stages inside another file need no role and no bucket', () => {
    const declared = declarationOf({ stages: { Source: ['App'], Build: ['Unit'] } });
    const place = () => ({ line: 7, column: 3 });
    const { name: _name, ...nameless } = declared;
    expect(readDeclarationValue(nameless, place, 'p.yml', { inline: true, name: 'api' })).toMatchObject({
      ok: true,
      definition: { name: 'api' },
    });
    expect(readDeclarationValue(nameless, place, 'p.yml')).toMatchObject({
      ok: false,
      problems: [
        { line: 7, path: 'name' },
        { line: 7, path: 'roleArn' },
        { line: 7, path: '', message: 'A pipeline must have exactly one of artifactStore and artifactStores' },
      ],
    });
  });

  it('the digest does not depend on the order of keys, and does on every value', () => {
    const first = readDefinition(JSON.stringify(bare), 'a');
    const second = readDefinition(JSON.stringify(Object.fromEntries(Object.entries(bare).toReversed())), 'b');
    const third = readDefinition(JSON.stringify({ ...bare, name: 'other' }), 'c');
    if (!first.ok || !second.ok || !third.ok) throw new Error('all three are legal');
    expect(digestOf(first.definition)).toMatch(/^[0-9a-f]{64}$/);
    expect(digestOf(first.definition)).toBe(digestOf(second.definition));
    expect(digestOf(first.definition)).not.toBe(digestOf(third.definition));
  });
});

describe('a pipeline as the console of AWS makes it', () => {
  const type = (category: string, provider: string) => ({ category, owner: 'AWS', provider, version: '1' });
  const printed = {
    pipeline: {
      name: 'shop-prod',
      roleArn: 'arn:aws:iam::111122223333:role/service-role/AWSCodePipelineServiceRole-eu-west-1-shop-prod',
      artifactStore: { type: 'S3', location: 'codepipeline-eu-west-1-111122223333' },
      stages: [
        {
          name: 'Source',
          actions: [
            {
              name: 'Source',
              actionTypeId: type('Source', 'CodeStarSourceConnection'),
              runOrder: 1,
              configuration: {
                BranchName: 'main',
                ConnectionArn: 'arn:aws:codeconnections:eu-west-1:111122223333:connection/1',
                DetectChanges: 'false',
                FullRepositoryId: 'acme/shop',
                OutputArtifactFormat: 'CODE_ZIP',
              },
              outputArtifacts: [{ name: 'SourceArtifact' }],
              inputArtifacts: [],
              region: 'eu-west-1',
              namespace: 'SourceVariables',
            },
          ],
          onFailure: { result: 'RETRY', retryConfiguration: { retryMode: 'ALL_ACTIONS' } },
        },
        {
          name: 'Build',
          actions: [
            {
              name: 'Build',
              actionTypeId: type('Build', 'CodeBuild'),
              runOrder: 1,
              configuration: {
                ProjectName: 'shop',
                BatchEnabled: 'false',
                EnvironmentVariables: '[{"name":"COMMIT","value":"#{SourceVariables.CommitId}","type":"PLAINTEXT"}]',
              },
              outputArtifacts: [{ name: 'BuildArtifact' }],
              inputArtifacts: [{ name: 'SourceArtifact' }],
              region: 'eu-west-1',
              namespace: 'BuildVariables',
            },
          ],
        },
        {
          name: 'Deploy',
          actions: [
            {
              name: 'Ask',
              actionTypeId: type('Approval', 'Manual'),
              runOrder: 1,
              configuration: { CustomData: 'Deploy #{SourceVariables.CommitId}?' },
              outputArtifacts: [],
              inputArtifacts: [],
              region: 'eu-west-1',
              timeoutInMinutes: 60,
            },
            {
              name: 'Deploy',
              actionTypeId: type('Deploy', 'ECS'),
              runOrder: 2,
              configuration: { ClusterName: 'c', ServiceName: 's', NewerKey: 'x' },
              outputArtifacts: [],
              inputArtifacts: [{ name: 'BuildArtifact' }],
              region: 'eu-west-1',
              namespace: 'DeployVariables',
            },
          ],
        },
      ],
      version: 7,
      executionMode: 'QUEUED',
      pipelineType: 'V2',
      triggers: [
        {
          providerType: 'CodeStarSourceConnection',
          gitConfiguration: { sourceActionName: 'Source', push: [{ branches: { includes: ['main'] } }] },
        },
      ],
    },
    metadata: {
      pipelineArn: 'arn:aws:codepipeline:eu-west-1:111122223333:shop-prod',
      created: '2026-01-05T10:00:00.000000+00:00',
      updated: '2026-01-05T10:00:00.000000+00:00',
    },
  };

  it('is read as it is, with warnings for what only AWS runs', () => {
    const read = readDefinition(JSON.stringify(printed, null, 4), 'shop.json');
    expect(read.ok ? [] : read.problems.map(formatProblem)).toEqual([]);
    expect(read.ok && read.warnings.map((problem) => problem.rule)).toEqual(['CP-P-6', 'CP-D-11']);
  });
});

describe('CP 1.3: errors of shape, all at once, at their places', () => {
  const text = `name: web
roleArn: arn:aws:iam::111122223333:role/pipe
artifactStore: { type: S3, location: bucket }
stages:
  - name: Source
    Actions: []
    actions:
      - name: App
        actionTypeId: { category: Sorce, owner: AWS, provider: CodeCommit, version: 1 }
        runOrder: 0
        configuration: { RepositoryName: "", PollForSourceChanges: false }
  - name: "bad name"
    action: []
`;
  const read = readDefinition(text, 'ci/web.yml');
  const lines = read.ok ? [] : read.problems.map(formatProblem);

  it.each([
    `ci/web.yml:6:5: Unknown parameter in pipeline.stages.1.member: "Actions". Write "actions": a declaration uses the spelling of get-pipeline, not of CloudFormation.`,
    `ci/web.yml:9:25: Value at 'pipeline.stages.1.member.actions.1.member.actionTypeId.category' failed to satisfy constraint: Member must satisfy enum value set: [Source, Build, Deploy, Test, Invoke, Approval, Compute]. Write category as one of Source, Build, Deploy, Test, Invoke, Approval, Compute.`,
    `ci/web.yml:9:76: Value at 'pipeline.stages.1.member.actions.1.member.actionTypeId.version' failed to satisfy constraint: Member must be a string. Put it in quotes: "1".`,
    `ci/web.yml:10:9: Value at 'pipeline.stages.1.member.actions.1.member.runOrder' failed to satisfy constraint: Member must have value greater than or equal to 1. Give runOrder at least 1.`,
    `ci/web.yml:11:26: Value at 'pipeline.stages.1.member.actions.1.member.configuration.RepositoryName' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 50000, Member must have length greater than or equal to 1]. Give RepositoryName a value of 1 to 50000 characters, or leave the key out.`,
    `ci/web.yml:11:46: Value at 'pipeline.stages.1.member.actions.1.member.configuration.PollForSourceChanges' failed to satisfy constraint: Member must be a string. Put it in quotes: "false".`,
    `ci/web.yml:12:5: Value at 'pipeline.stages.2.member.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [A-Za-z0-9.@\\-_]+. Write name so that it fits [A-Za-z0-9.@\\-_]+.`,
    `ci/web.yml:13:5: Value at 'pipeline.stages.2.member.actions' failed to satisfy constraint: Member must have length greater than or equal to 1. Give actions at least 1 entry.`,
    `ci/web.yml:8:9: Action App declares 0 output artifacts which is less than the minimum count (1). Name 1 in outputArtifacts.`,
    `ci/web.yml:11:9: Action configuration for action 'App' is missing required configuration 'BranchName'. Add BranchName.`,
    `ci/web.yml:13:5: Unknown parameter in pipeline.stages.2.member: "action". Did you mean "actions"?`,
  ])('%s', (line) => {
    expect(lines).toContain(line);
  });

  it('nothing else is told but what the embedded engine cannot run', () => {
    expect(lines).toHaveLength(12);
    expect(!read.ok && read.problems.filter(({ severity }) => severity === 'warning').map(({ rule }) => rule)).toEqual([
      'CP-P-6',
    ]);
  });

  it('CP-D-9: what is wrong with the shape has the exception of the service', () => {
    const shape = read.ok ? [] : read.problems.filter(({ message }) => /constraint|Unknown parameter/.test(message));
    expect(shape.map(({ exception }) => exception)).toEqual(Array(9).fill('ValidationException'));
  });

  it.each([
    ['a stranger beside pipeline', '{"pipeline": {}, "tags": []}', 'Unknown parameter in input: "tags"'],
    ['an empty file', '', "Value at 'pipeline' failed to satisfy constraint: Member must not be null"],
    ['a list', '- a', "Value at 'pipeline' failed to satisfy constraint: Member must be a map"],
    ['a key that stands twice', 'name: a\nname: b', 'The key name stands twice here.'],
    ['a function of CloudFormation', 'name: !Sub web', 'Unresolved tag: !Sub.'],
    ['broken YAML', 'a: [1', 'Flow sequence'],
    ['two documents', 'a: 1\n---\nb: 1', 'A second document begins here.'],
    ['UTF-16', 'n\0a\0m\0e\0', 'The file is not UTF-8; it looks like UTF-16.'],
    ['UTF-16, its higher byte first', '\0n\0a', 'The file is not UTF-8; it looks like UTF-16.'],
    ['another encoding', 'name: gr\uFFFD\uFFFDe', 'A sign here is not UTF-8, so the text is not what was written.'],
    ['a template', '{"Resources": {}}', 'This is a template of CloudFormation, not the declaration of a pipeline'],
    ['all of CloudFormation', '{"Name": "a", "Stages": []}', '2 keys are spelled as in CloudFormation, Name the first'],
    ['too long a text', ' '.repeat(1_000_001), 'The file has 1000001 characters'],
    ['nesting without end', '['.repeat(50_000), 'Too many levels are nested.'],
    ['nesting that ends', '['.repeat(50_000) + ']'.repeat(50_000), 'Too many levels are nested.'],
    ['aliases that unfold', aliases(), 'The file cannot be read: Excessive alias count'],
  ])('%s', (_name, source, message) => {
    const result = readDefinition(source, 'p');
    expect(result.ok ? [] : result.problems.map((problem) => problem.message).join('\n')).toContain(message);
  });

  it('a million characters are read, and of keys that stand twice 500 are told', () => {
    const long = readDefinition(`a: 1\n${'a: 1\n'.repeat(600)}`.padEnd(1_000_000, ' '), 'p');
    const told = long.ok ? [] : long.problems.filter(({ message }) => message === 'The key a stands twice here.');
    expect(told).toHaveLength(500);
  });

  it.each([
    ['before everything', '// ours\n{"name": "web"}', '1:1'],
    ['after a value', '{"name": "web", // ours\n"roleArn": "x"}', '1:17'],
    ['as a block', '{"name": "web",\n  /* ours */ "roleArn": "x"}', '2:3'],
    ['before what breaks YAML too', '{\n// ours: "web"\n"name": {"a": 1}}}', '2:1'],
  ])('a comment %s is told as one, and once', (_name, source, place) => {
    const result = readDefinition(source, 'p.json');
    const told = result.ok ? [] : result.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
    expect(told).toEqual([`${place} A comment with // or /* cannot be read.`]);
  });

  it.each(['{"name": "https://a//b", "roleArn": [}', 'name: a // b\nroleArn: [a'])('%s has no comment', (source) => {
    const result = readDefinition(source, 'p.json');
    expect(result.ok ? [] : result.problems.map(({ message }) => message)).not.toContain(
      'A comment with // or /* cannot be read.',
    );
  });

  it('lines that begin with tabs are one mistake', () => {
    const result = readDefinition('stages:\n\t- name: a\n\t- name: b\n', 'p.yml');
    expect(result.ok ? [] : result.problems.map(({ line, mend }) => `${line} ${mend}`)).toEqual([
      '2 Indent every line with spaces.',
    ]);
  });

  it('a file of another language is told with one error, and not with all that follows from it', () => {
    const program =
      'import os\ndef main(x):\n    if x: print("a: b")\n    return {"a": [1,2\n@decor\nclass A:\n   pass\n';
    const result = readDefinition(program, 'p');
    expect(result.ok ? [] : result.problems.map(({ line, message }) => `${line}: ${message}`)).toEqual([
      '1: Implicit keys need to be on a single line.',
    ]);
  });

  it.each([
    ['a map that is not closed', 'name: {a: b\nroleArn: x\n', '2:1', 'Close it with } where it ends'],
    ['a text that is not closed', 'name: "web\n', '2:1', 'Close it with " where it ends'],
    ['a list entry that is not in line', 'a:\n - name: b\n    c: d\n', '2:10', 'Begin all keys of a map in one column'],
    ['an alias without its anchor', 'name: web\nstages: [*build]\n', '2:10', 'Write &build at its first use.'],
    ['a key that merges', 'name: web\n<<: {a: b}\n', '2:1', 'Write out the keys that it would merge.'],
    ['a key in another case', 'rolearn: x\nname: web\n', '1:1', 'Did you mean "roleArn"?'],
    ['a number without end', `version: ${'9'.repeat(40)}`, '1:1', 'Give version at most 9007199254740991.'],
  ])('%s is told with its mend', (_name, source, place, mend) => {
    const result = readDefinition(source, 'p.yml');
    const told = result.ok ? [] : result.problems.map((problem) => `${problem.line}:${problem.column} ${problem.mend}`);
    expect(told.filter((one) => one.startsWith(`${place} ${mend}`))).toHaveLength(1);
  });

  it('what is wrong behind an alias is told where the alias stands, beside the place of its anchor', () => {
    const source = [
      'name: web',
      'stages:',
      '  - name: Source',
      '    actions: [{ name: App, actionTypeId: &type { category: Build, owner: AWS, provider: CodeBuilt, version: "1" } }]',
      '  - &build',
      '    name: Build',
      '    actions:',
      '      - name: Make',
      '        actionTypeId: *type',
      '  - *build',
    ].join('\n');
    const result = readDefinition(source, 'p.yml');
    const told = result.ok ? [] : result.problems.map(({ line, column, rule }) => `${line}:${column} ${rule}`);
    // The stage that stands twice is told at its second place only.
    expect(told.filter((one) => /D-12|D-6/.test(one))).toEqual([
      '4:28 CP-D-12',
      '9:9 CP-D-12',
      '10:5 CP-D-6',
      '10:5 CP-D-12',
    ]);
  });

  it('functions of CloudFormation are told wherever they stand', () => {
    const result = readDefinition('name: !Sub web\nroleArn: !GetAtt Role.Arn\n', 'p');
    expect(result.ok ? [] : result.problems.map(({ line }) => line)).toEqual([1, 2]);
  });

  it.each(['a/b', '../b', 'a?b', 'a#b', 'a%2fb', 'a b'])(
    '%j names nothing: names stand in addresses (SEC-D-14)',
    (name) => {
      const stages = { Source: ['App'], [name]: ['Ship'] };
      const result = readDefinition(JSON.stringify(declarationOf({ stages })), 'p');
      expect(result.ok ? [] : result.problems.map(({ path }) => path)).toContain('stages[1].name');
    },
  );

  const small = { Source: ['App'], Deploy: ['Ship'] };
  it.each<[string, object, string]>([
    ['a name of a million characters', { ...declarationOf({ stages: small }), name: 'x'.repeat(1_000_000) }, 'name'],
    ['ten thousand stages', declarationOf({ stages: { ...small, ...manyStages(10_000) } }), 'stages'],
  ])('%s: refused in words that a check can show (SEC-D-14)', (_, declared, where) => {
    const result = readDeclarationValue(declared, () => ({ line: 1, column: 1 }), 'p', { inline: true });
    const problems = result.ok ? [] : result.problems;
    expect(problems.map(({ path }) => path)).toContain(where);
    expect(problems.length).toBeLessThanOrEqual(104);
    for (const problem of problems) expect(formatProblem(problem).length).toBeLessThan(2_000);
  });

  it('a file of twenty thousand wrong keys is told with a hundred of them (SEC-D-14)', () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n');
    const result = readDefinition(keys, 'p');
    expect(!result.ok && result.problems.length).toBeLessThanOrEqual(104);
  });
});

describe('actions that only AWS runs', () => {
  it('CP-P-6: are named', () => {
    const actionTypeId = { category: 'Deploy', owner: 'AWS', provider: 'ECS', version: '1' };
    const configuration = { ClusterName: 'c', ServiceName: 's' };
    const declared = declarationOf({
      stages: { Source: ['App'], Deploy: ['Ship'] },
      actions: { 'Deploy/Ship': { actionTypeId, configuration, commands: [] } },
    });
    const read = readDeclarationValue(declared, () => ({ line: 1, column: 1 }), 'p', { inline: true });
    expect(read.ok && notRunnable(read.definition, () => false)).toBe(
      "ActionType (Category: 'Deploy', Provider: 'ECS', Owner: 'AWS', Version: '1') in action 'Ship' is not available in " +
        "region 'US_EAST_1'. To let AWS run this pipeline, write `engine: aws` for it in .github/penstock.yml and bind it under `bindings` in penstock.server.yml. To run it here, deploy from a Commands or CodeBuild action.",
    );
    expect(read.ok && read.warnings.map(({ rule, exception }) => [rule, exception])).toEqual([
      ['CP-P-6', 'InvalidActionDeclarationException'],
    ]);
  });

  it('CP-P-6: a function runs where the operator allows it, and is warned of', () => {
    const actionTypeId = { category: 'Invoke', owner: 'AWS', provider: 'Lambda', version: '1' };
    const declared = declarationOf({
      stages: { Source: ['App'], Deploy: ['Ask'] },
      actions: { 'Deploy/Ask': { actionTypeId, configuration: { FunctionName: 'f' }, commands: [] } },
    });
    const read = readDeclarationValue(declared, () => ({ line: 1, column: 1 }), 'p', { inline: true });
    if (!read.ok) throw new Error('not read');
    expect(notRunnable(read.definition, ({ provider }) => provider === 'Lambda')).toBeUndefined();
    expect(notRunnable(read.definition, () => false)).toContain(
      'The operator allows functions for this repository in penstock.server.yml, under embedded.aws.',
    );
    expect(read.warnings.map(({ rule, exception }) => [rule, exception])).toEqual([['CP-P-6', undefined]]);
  });
});

function aliases(): string {
  const lines = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
  for (const [from, to] of ['ab', 'bc', 'cd', 'de'].map((pair) => pair.split(''))) {
    lines.push(`${to}: &${to} [${Array.from({ length: 10 }, () => `*${from}`).join(',')}]`);
  }
  return lines.join('\n');
}

function manyStages(count: number): Record<string, readonly string[]> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`Stage${index}`, ['Ship']]));
}
