import { describe, expect, it } from 'vitest';
import { readDefinition } from '../../src/pipeline/read-definition.ts';

/** What is told of a declaration whose shape is wrong somewhere: also what is wrong elsewhere, and nothing besides. */

const sound = {
  name: 'web',
  roleArn: 'arn:aws:iam::111122223333:role/p',
  artifactStore: { type: 'S3', location: 'my-bucket' },
  stages: [
    {
      name: 'Source',
      actions: [
        {
          name: 'App',
          actionTypeId: type('Source', 'CodeStarSourceConnection'),
          configuration: { ConnectionArn: 'arn', FullRepositoryId: 'a/b', BranchName: 'main' },
          outputArtifacts: [{ name: 'Src' }],
          namespace: 'S',
        },
      ],
    },
    {
      name: 'Build',
      actions: [
        {
          name: 'Unit',
          actionTypeId: type('Compute', 'Commands'),
          commands: ['echo #{S.CommitId}'],
          inputArtifacts: [{ name: 'Src' }],
          outputArtifacts: [{ name: 'Out' }],
        },
      ],
    },
    { name: 'Ship', actions: [{ name: 'Ok', actionTypeId: type('Approval', 'Manual') }] },
  ],
  triggers: [{ providerType: 'CodeStarSourceConnection', gitConfiguration: { sourceActionName: 'App' } }],
};

function type(category: string, provider: string) {
  return { category, owner: 'AWS', provider, version: '1' };
}

type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value } | undefined;

/** Edits are paths such as `stages.1.actions.0.runOrder`; undefined takes away. */
function told(edits: Readonly<Record<string, Value>>): string[] {
  const value: unknown = structuredClone(sound);
  for (const [path, to] of Object.entries(edits)) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const at = keys.reduce((inner, key) => (inner as Record<string, unknown>)[key], value) as Record<string, unknown>;
    if (to === undefined) delete at[last];
    else at[last] = to;
  }
  const read = readDefinition(JSON.stringify(value), 'p.json');
  const problems = read.ok ? read.warnings : read.problems;
  return problems.map(({ rule, path }) => `${rule ?? ''} ${path}`).toSorted();
}

const unit = 'stages.1.actions.0';
const app = 'stages.0.actions.0';

describe('errors of shape hide no others', () => {
  it('the sound one has none', () => expect(told({})).toEqual([]));

  it.each<[string, Readonly<Record<string, Value>>, string[]]>([
    [
      'a bound, and a name twice',
      { [`${unit}.runOrder`]: 0, 'stages.2.name': 'Build' },
      ['CP-1.2 stages[1].actions[0].runOrder', 'CP-D-6 stages[2].name'],
    ],
    [
      'an empty value, and a key that is missing',
      { [`${app}.configuration`]: { ConnectionArn: '', FullRepositoryId: 'a/b' } },
      ['CP-D-11 stages[0].actions[0].configuration', 'CP-D-9 stages[0].actions[0].configuration.ConnectionArn'],
    ],
    [
      'a role, and an input from nowhere',
      { roleArn: 'me', [`${unit}.inputArtifacts`]: [{ name: 'Srx' }] },
      ['CP-1.2 roleArn', 'CP-D-8 stages[1].actions[0].inputArtifacts[0].name'],
    ],
    ['a null, and one stage', { name: null, stages: [sound.stages[0]] }, ['CP-1.2 name', 'CP-D-4 stages']],
    [
      'a category in the wrong case, and a type that is not there',
      { [`${unit}.actionTypeId`]: { ...type('compute', 'Command') } },
      ['CP-1.2 stages[1].actions[0].actionTypeId.category', 'CP-D-12 stages[1].actions[0].actionTypeId'],
    ],
    [
      'a version without quotes, and no commands',
      { [`${unit}.actionTypeId.version`]: 1, [`${unit}.commands`]: [] },
      ['CP-1.2 stages[1].actions[0].actionTypeId.version', 'CP-D-19 stages[1].actions[0]'],
    ],
    [
      'too many of a list, and a bad one among the first',
      {
        variables: Array.from({ length: 51 }, (_, n) => ({ name: `v${n % 50}` })),
        [`${app}.namespace`]: 'codepipeline',
      },
      ['CP-1.2 variables', 'CP-D-14 stages[1].actions[0].commands[0]', 'CP-V-2 stages[0].actions[0].namespace'],
    ],
    [
      'a stage without actions, and a name twice',
      { 'stages.1.actions': [], 'stages.2.name': 'Build' },
      ['CP-1.2 stages[1].actions', 'CP-D-6 stages[2].name'],
    ],
    [
      'a list of conditions that is empty, and a name twice',
      { 'stages.1.beforeEntry': { conditions: [] }, 'stages.2.name': 'Build' },
      ['CP-1.2 stages[1].beforeEntry.conditions', 'CP-D-6 stages[2].name'],
    ],
    [
      'an input that nobody makes, however the actions are ordered once the order is mended',
      { [`${unit}.runOrder`]: 'x', [`${unit}.inputArtifacts`]: [{ name: 'Nowhere' }] },
      ['CP-1.2 stages[1].actions[0].runOrder', 'CP-D-8 stages[1].actions[0].inputArtifacts[0].name'],
    ],
    [
      'a namespace that nobody has, however the actions are ordered',
      { [`${unit}.runOrder`]: 'x', [`${unit}.commands`]: ['echo #{Nobody.X}'] },
      ['CP-1.2 stages[1].actions[0].runOrder', 'CP-D-14 stages[1].actions[0].commands[0]'],
    ],
    [
      'what else is wrong in an action, beside a store',
      { 'artifactStore.type': 'S4', [`${unit}.timeoutInMinutes`]: 10 },
      ['CP-1.2 artifactStore.type', 'CP-1.2 stages[1].actions[0].timeoutInMinutes'],
    ],
    [
      'one command too many, and what is wrong in the last that counts',
      { [`${unit}.commands`]: [...Array.from({ length: 49 }, () => 'make'), 'echo #{Nobody.X}', 'make'] },
      ['CP-1.2 stages[1].actions[0].commands', 'CP-D-14 stages[1].actions[0].commands[49]'],
    ],
    [
      'a name without its quotes, and the same name with them',
      { 'stages.1.name': true, 'stages.2.name': 'true' },
      ['CP-1.2 stages[1].name', 'CP-D-6 stages[2].name'],
    ],
    [
      'keys of CloudFormation, down to the bottom, are one mistake',
      {
        stages: undefined,
        Stages: [{ Name: 'Source', Actions: [{ Name: 'App', ActionTypeId: { Category: 'Source' } }] }],
      },
      [
        'CP-1.2 Stages',
        'CP-1.2 Stages[0].Actions[0].ActionTypeId.owner',
        'CP-1.2 Stages[0].Actions[0].ActionTypeId.provider',
        'CP-1.2 Stages[0].Actions[0].ActionTypeId.version',
        'CP-D-4 Stages',
      ],
    ],
  ])('%s', (_name, edits, expected) => expect(told(edits)).toEqual(expected));
});

describe('what only follows from an error of shape is not told', () => {
  it.each<[string, Readonly<Record<string, Value>>, string[]]>([
    [
      'an output without a good name: who takes it',
      { [`${app}.outputArtifacts`]: [{ name: 'my src' }], [`${unit}.inputArtifacts`]: [{ name: 'my src' }] },
      ['CP-1.2 stages[0].actions[0].outputArtifacts[0].name', 'CP-1.2 stages[1].actions[0].inputArtifacts[0].name'],
    ],
    [
      'outputs that are no list: who takes one, how many there are',
      { [`${app}.outputArtifacts`]: 'Src' },
      ['CP-1.2 stages[0].actions[0].outputArtifacts'],
    ],
    [
      'outputs as plain names',
      { [`${app}.outputArtifacts`]: ['Src'] },
      ['CP-1.2 stages[0].actions[0].outputArtifacts[0]'],
    ],
    [
      'a namespace that cannot be: who refers to it',
      { [`${app}.namespace`]: 'a.b' },
      ['CP-1.2 stages[0].actions[0].namespace'],
    ],
    [
      'what comes of an order that cannot be read',
      {
        [`${unit}.namespace`]: 'B',
        'stages.1.actions.1': {
          name: 'Late',
          runOrder: 'x',
          actionTypeId: type('Compute', 'Commands'),
          commands: ['echo #{B.X}'],
          inputArtifacts: [{ name: 'Out' }],
        },
      },
      ['CP-1.2 stages[1].actions[1].runOrder'],
    ],
    [
      'a number that would be no name in quotes either',
      { [`${app}.namespace`]: 1.5 },
      ['CP-1.2 stages[0].actions[0].namespace'],
    ],
    [
      'a key that cannot be: what it holds',
      { [`${app}.configuration`]: { ConnectionArn: 'arn', FullRepositoryId: 'a/b', BranchName: 'main', '': 5 } },
      ['CP-D-9 stages[0].actions[0].configuration.'],
    ],
    [
      'a category that is none',
      { [`${unit}.actionTypeId.category`]: 7 },
      ['CP-1.2 stages[1].actions[0].actionTypeId.category'],
    ],
    [
      'a region whose store cannot be read',
      {
        artifactStore: undefined,
        artifactStores: 'my-bucket',
        [`${app}.region`]: 'us-east-1',
        [`${unit}.region`]: 'eu-west-1',
      },
      ['CP-1.2 artifactStores'],
    ],
    [
      'an order that cannot be: who comes before',
      { [`${app}.runOrder`]: 'x' },
      ['CP-1.2 stages[0].actions[0].runOrder'],
    ],
    [
      'no type: what its type would ask for',
      { [`${unit}.actionTypeId`]: undefined },
      ['CP-1.2 stages[1].actions[0].actionTypeId'],
    ],
    [
      'no type of the source: the trigger that names it',
      { [`${app}.actionTypeId`]: undefined },
      ['CP-1.2 stages[0].actions[0].actionTypeId'],
    ],
    [
      'a source without a good name: the trigger that names it',
      { [`${app}.name`]: 'my app' },
      ['CP-1.2 stages[0].actions[0].name'],
    ],
    [
      'an owner that is none',
      { [`${unit}.actionTypeId.owner`]: 'Me' },
      ['CP-1.2 stages[1].actions[0].actionTypeId.owner'],
    ],
    ['stages that are none: their number, the trigger', { stages: {} }, ['CP-1.2 stages']],
    ['a stage that is none: what it would put out', { 'stages.0': null }, ['CP-1.2 stages[0]']],
    ['no actions', { 'stages.0.actions': [] }, ['CP-1.2 stages[0].actions']],
    [
      'commands that are no list: that there are none',
      { [`${unit}.commands`]: 'make' },
      ['CP-1.2 stages[1].actions[0].commands'],
    ],
    ['a store that is none: that there is none', { artifactStore: 'bucket' }, ['CP-1.2 artifactStore']],
    [
      'variables that are none: that one is not declared',
      { variables: 'v', [`${unit}.commands`]: ['#{variables.v}'] },
      ['CP-1.2 variables'],
    ],
    [
      'branches that are none: that none are named',
      { 'triggers.0.gitConfiguration': { sourceActionName: 'App', push: [{ branches: 'main' }] } },
      ['CP-1.2 triggers[0].gitConfiguration.push[0].branches'],
    ],
    [
      'a result that is none: that it is not RETRY',
      { 'stages.1.onFailure': { result: 'AGAIN', retryConfiguration: {} } },
      ['CP-1.2 stages[1].onFailure.result'],
    ],
    [
      'a result that is none: that SKIP asks for other rules',
      {
        'stages.1.beforeEntry': {
          conditions: [
            {
              result: 'PASS',
              rules: [{ name: 'R', ruleTypeId: { category: 'Rule', provider: 'Commands' }, commands: ['true'] }],
            },
          ],
        },
      },
      ['CP-1.2 stages[1].beforeEntry.conditions[0].result'],
    ],
  ])('%s', (_name, edits, expected) => expect(told(edits)).toEqual(expected));

  it('a text that was filled in is shown as it is written', () => {
    const read = readDefinition(
      JSON.stringify({
        ...sound,
        stages: [
          sound.stages[0],
          {
            name: 'Ship',
            actions: [{ name: 'my gate', actionTypeId: type('Approval', 'Manual'), roleArn: sound.roleArn }],
          },
        ],
      }),
      'p.json',
    );
    expect(read.ok ? [] : read.problems.map(({ message }) => message)).toContainEqual(
      'Action my gate: an approval has no roleArn',
    );
  });
});

describe('the text around it', () => {
  it('a byte order mark is no column', () => {
    const read = readDefinition(`\uFEFF{"name": 5}`, 'p.yml');
    expect(read.ok ? [] : read.problems.filter(({ path }) => path === 'name')).toMatchObject([{ line: 1, column: 2 }]);
  });

  it('a key that stands twice hides no others, and the last one counts', () => {
    const text = JSON.stringify(sound).replace('"name":"web"', '"name":"web","name":"w b"');
    const read = readDefinition(text, 'p.json');
    expect(read.ok ? [] : read.problems.map(({ message }) => message)).toEqual([
      'The key name stands twice here.',
      expect.stringContaining('regular expression'),
    ]);
  });

  it('a file that is called .json and is none is read, with a warning', () => {
    const read = readDefinition(JSON.stringify(sound).replace(/\}$/, ',}'), 'p.json');
    expect(read.ok && read.warnings).toMatchObject([
      { severity: 'warning', line: 1, message: expect.stringContaining('not JSON') },
    ]);
    const yaml = readDefinition(JSON.stringify(sound).replace(/\}$/, ',}'), 'p.yml');
    expect(yaml.ok && yaml.warnings).toEqual([]);
  });

  it('more problems than are listed are counted', () => {
    const actions = Array.from({ length: 90 }, (_, n) => ({
      ...sound.stages[2]?.actions[0],
      name: `a${n}`,
      runOrder: 0,
    }));
    const more = Array.from({ length: 6 }, (_, n) => ({ name: `S${n}`, actions }));
    const read = readDefinition(JSON.stringify({ ...sound, stages: [...sound.stages, ...more] }), 'p.json');
    const problems = read.ok ? [] : read.problems;
    expect([problems.length, problems.at(-1)?.message]).toEqual([501, '40 more problems are not listed.']);
  });
});
