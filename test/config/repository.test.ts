import { describe, expect, test } from 'vitest';
import { readRepositoryConfig, repositoryConfigJsonSchema } from '../../src/config/repository.ts';
import { formatProblem } from '../../src/pipeline/problem.ts';

const full = `pipelines:
  web:
    definition: ci/web.pipeline.json
    on:
      push: [{ branches: { includes: [main] } }]
      pullRequest: [{ events: [OPEN, UPDATED], branches: { includes: [main] }, filePaths: { excludes: ["docs/**"] } }]
    exclusive: [Deploy]
    mergeGroup: run
    gates:
      Release/Approve: { count: 2, from: { teams: [acme/release], permission: admin }, allowAuthor: true, expireAfter: 3d }
  shop:
    engine: aws
    starts: both
projects:
  unit: { buildspec: ci/unit.yml, timeoutInMinutes: 20, environment: { CI: "true", TOKEN: { value: npm, type: SECRETS_MANAGER } } }
  bare: {}
commands: { bare: false }
`;

function configOf(text: string) {
  const read = readRepositoryConfig(text);
  if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'));
  return read.config;
}

function linesOf(text: string): readonly string[] {
  const read = readRepositoryConfig(text);
  return read.ok ? [] : read.problems.map(formatProblem);
}

describe('.github/penstock.yml', () => {
  test.each([
    'account',
    'region',
    'pipelineName',
    'roleArn',
    'externalId',
    'queue',
    'serviceAccount',
    'aws',
    'bindings',
  ])('SEC-T-05 a repository cannot name %s: what it drives is said on the server only', (key) => {
    const below = linesOf(`pipelines:\n  shop:\n    engine: aws\n    ${key}: x\n`);
    expect(below).toEqual([expect.stringContaining(`\`pipelines.shop.${key}\` is not a key that Penstock knows`)]);
    const above = linesOf(`${key}: x\npipelines:\n  shop: { engine: aws }\n`);
    expect(above).toEqual([expect.stringContaining(`\`${key}\` is not a key that Penstock knows`)]);
  });

  test('the example of the design is read whole, with its defaults', () => {
    const config = configOf(full);
    expect(config.pipelines).toMatchObject([
      {
        name: 'web',
        engine: 'embedded',
        starts: 'bot',
        definition: { kind: 'file', path: 'ci/web.pipeline.json', line: 3, column: 17 },
        on: {
          push: [{ branches: { includes: ['main'] } }],
          pullRequest: [
            { events: ['OPEN', 'UPDATED'], branches: { includes: ['main'] }, filePaths: { excludes: ['docs/**'] } },
          ],
        },
        exclusive: ['Deploy'],
        mergeGroup: 'run',
        gates: {
          'Release/Approve': {
            count: 2,
            from: { permission: 'admin', teams: ['acme/release'], users: [], codeowners: false },
            allowAuthor: true,
            allowLastPusher: false,
            requireSha: false,
            expireAfterMs: 3 * 86_400_000,
          },
        },
        line: 2,
        column: 3,
      },
      { name: 'shop', engine: 'aws', starts: 'both', definition: { kind: 'bound' }, mergeGroup: 'pass', exclusive: [] },
    ]);
    expect(config.pipelines[1]).not.toHaveProperty('on');
    expect({ ...config.projects }).toEqual({
      unit: {
        buildspec: 'ci/unit.yml',
        timeoutInMinutes: 20,
        environment: [
          { name: 'CI', value: 'true', type: 'PLAINTEXT' },
          { name: 'TOKEN', value: 'npm', type: 'SECRETS_MANAGER' },
        ],
      },
      bare: { environment: [] },
    });
    expect(config.commands).toEqual({ bare: false });
    expect(config.statusComment).toBe(false);
    expect(configOf('pipelines: { a: { definition: x.yml } }\nstatusComment: true').statusComment).toBe(true);
    expect(configOf('pipelines: { a: { definition: x.yml } }').commands).toEqual({ bare: true });
  });

  test('a look-up by a name from outside never finds what the language put there', () => {
    const config = configOf(full);
    expect(config.projects['constructor']).toBeUndefined();
    expect(config.pipelines[0]?.gates['toString']).toBeUndefined();
  });

  test('stages may be written inline; positions inside them are positions of this file', () => {
    const config = configOf(
      'pipelines:\n  tiny:\n    executionMode: QUEUED\n    stages:\n      - name: Source\n        actions: []\n',
    );
    const definition = config.pipelines[0]?.definition;
    if (definition?.kind !== 'inline') throw new Error('expected an inline definition');
    expect(definition.value).toEqual({
      name: 'tiny',
      executionMode: 'QUEUED',
      stages: [{ name: 'Source', actions: [] }],
    });
    expect(definition.locate(['stages', 0, 'name'])).toEqual({ line: 5, column: 15 });
    expect(definition.locate(['stages', 0, 'nothing', 'here'])).toEqual({ line: 5, column: 9 });
  });

  test('on: {} means that nothing starts by itself', () => {
    expect(configOf('pipelines: { a: { definition: x.yml, on: {} } }').pipelines[0]?.on).toEqual({});
  });

  test('groups of approvers', () => {
    const text = `pipelines:
  a:
    definition: x.yml
    gates:
      S/A:
        from:
          allOf:
            - { teams: [acme/sec], count: 1 }
            - { users: [ada, 1234], anyOf: [{ codeowners: true }] }
`;
    expect(configOf(text).pipelines[0]?.gates['S/A']?.from.allOf).toMatchObject([
      { teams: ['acme/sec'], count: 1, permission: 'write' },
      { users: ['ada', 1234], count: 1, anyOf: [{ codeowners: true, count: 1 }] },
    ]);
  });

  test('editors get a schema with the alphabets of names in it', () => {
    const schema = JSON.stringify(repositoryConfigJsonSchema());
    expect(schema).toContain('"additionalProperties":false');
    expect(schema).toContain('{1,100}$');
  });
});

describe('mistakes are told at line and column, with the mend', () => {
  const web = (rest: string) => `pipelines:\n  web:\n    definition: a.yml\n${rest}`;

  test.each<[string, string, string]>([
    ['an empty file', '', ':1:1: The file is empty. Write keys with values there.'],
    ['a list', '- a', ':1:1: The file must be keys with values. It is a list now.'],
    ['no pipelines', 'commands: {}', ':1:1: `pipelines` is missing. Add it: keys with values.'],
    [
      'none in it',
      'pipelines: {}',
      ':1:12: `pipelines` names no pipeline. Add one, for example `web: { definition: ci/web.pipeline.json }`.',
    ],
    [
      'a syntax error',
      'pipelines: [',
      ':1:13: Flow sequence in block collection must be sufficiently indented and end with a ]. Correct the YAML here.',
    ],
    [
      'an unknown key',
      web('    on:\n      pushes: []'),
      ':5:7: `pipelines.web.on.pushes` is not a key that Penstock knows. Known keys here: push, pullRequest.',
    ],
    ['a key twice', web('    definition: b.yml'), ':4:5: `definition` stands here twice. Remove one of the two.'],
    [
      'an unknown word',
      web('    mergeGroup: maybe'),
      ':4:17: `pipelines.web.mergeGroup` cannot be "maybe". Write one of pass, run, skip.',
    ],
    [
      'SEC-D-17 a number for a text',
      'pipelines: { a: { definition: 12e4567 } }',
      ':1:31: `pipelines.a.definition` must be a text, but YAML reads Infinity as a number. Put it in quotes.',
    ],
    [
      'a path out of the repository',
      'pipelines: { a: { definition: ../x.yml } }',
      ':1:31: `pipelines.a.definition` is not a path inside the repository. Write it from the root of the repository with forward slashes, such as ci/web.pipeline.json: without `..`, a leading `/` or `-`.',
    ],
    [
      'tags with branches',
      web('    on: { push: [{ tags: {}, branches: {} }] }'),
      ':4:18: `pipelines.web.on.push[0]` mixes tags with branches or files, which CodePipeline refuses (CP-D-32). Make two entries of the list: one for tags, one for branches.',
    ],
    [
      'nine patterns',
      web(`    on: { push: [{ tags: { includes: [${'a, '.repeat(8)}b] } }] }`),
      ':4:38: `pipelines.web.on.push[0].tags.includes` is too long. At most 8 entries.',
    ],
    [
      'a gate without its action',
      web('    gates: { Release: {} }'),
      ':4:14: `pipelines.web.gates.Release`: is not the name of a gate. Write Stage/Action, as in the definition.',
    ],
    [
      'SEC-B-10 a pattern for people',
      web('    gates: { A/B: { from: { users: [".*"] } } }'),
      ':4:37: `pipelines.web.gates["A/B"].from.users[0]` is not a GitHub login. Write the login without `@`, exactly; there are no patterns.',
    ],
    [
      'a team without its organisation',
      web('    gates: { A/B: { from: { teams: [release] } } }'),
      ':4:37: `pipelines.web.gates["A/B"].from.teams[0]` is not a team. Write organisation/team-slug, exactly, without `@`.',
    ],
    [
      'read access for approvers',
      web('    gates: { A/B: { from: { permission: read } } }'),
      ':4:41: `pipelines.web.gates["A/B"].from.permission` cannot be "read". Write one of write, admin.',
    ],
    [
      'an expiry that GitHub would beat',
      web('    gates: { A/B: { expireAfter: 14d } }'),
      ':4:34: `pipelines.web.gates["A/B"].expireAfter` is not a time that can be used here. Write minutes, hours or days, such as 30m, 12h or 3d: at least 1h, at most 13d.',
    ],
    [
      'bots, which only the server may allow',
      web('    gates: { A/B: { allowBots: [1] } }'),
      ':4:21: `pipelines.web.gates["A/B"].allowBots` is not a key that Penstock knows. Known keys here: count, from, allowAuthor, allowLastPusher, allowCommitters, channels, requireSha, expireAfter.',
    ],
    [
      'no definition',
      'pipelines:\n  a: {}',
      ':2:3: `a` has no definition. Add `definition: <path of a CodePipeline declaration>` or `stages:`.',
    ],
    [
      'two definitions',
      web('    stages: []'),
      ':4:5: `web` has a definition in a file and another one here. Keep either `definition:` or `stages:`.',
    ],
    [
      'a definition for AWS',
      web('    engine: aws'),
      ':3:5: `web` is driven by AWS, which holds its definition. Remove the definition here, or `engine: aws`.',
    ],
    [
      'AWS starting what it does not hold',
      web('    starts: aws'),
      ':4:5: `starts: aws` is for pipelines of AWS only. Remove the line, or add `engine: aws`.',
    ],
    [
      'SEC-C-09 an environment that changes what a shell loads',
      `${web('')}projects: { ab: { environment: { BASH_ENV: x } } }`,
      ':4:34: `projects.ab.environment.BASH_ENV`: is set by Penstock or changes what a shell loads, so a file cannot set it. Choose another name, or export it in the commands of the buildspec.',
    ],
    [
      'an unquoted boolean',
      `${web('')}projects: { ab: { environment: { CI: true } } }`,
      ':4:38: `projects.ab.environment.CI` must be a text, but YAML reads true as a boolean. Put it in quotes.',
    ],
  ])('%s', (_, text, line) => {
    expect(linesOf(text)).toEqual([`.github/penstock.yml${line}`]);
  });

  test('filters that AWS would not use are a warning', () => {
    const read = readRepositoryConfig('pipelines: { a: { engine: aws, starts: aws, on: {} } }');
    expect(read.ok && read.warnings.map(formatProblem)).toEqual([
      '.github/penstock.yml:1:45: `a` is started by AWS, so these filters are not used. Remove `on:`, or write `starts: bot`.',
    ]);
  });

  test.each(['../x', '/etc', 'a/b', '.hidden', '-rf', 'a b', 'é', 'x'.repeat(101), 'a\0'])(
    'SEC-C-08 a pipeline cannot be called %j',
    (name) => {
      const lines = linesOf(`pipelines:\n  ${JSON.stringify(name)}: { definition: x.yml }`);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^\.github\/penstock\.yml:2:3: .* is not a name for a pipeline\./);
    },
  );

  test.each([
    '',
    '/etc/passwd',
    'a/../b',
    './a',
    'a//b',
    '-f',
    'ci/-x',
    'a\\b',
    'C:/x',
    '.git/config',
    'a\0b',
    'a/'.repeat(300),
  ])('SEC-C-08 a definition cannot lie at %j', (path) => {
    const lines = linesOf(`pipelines: { a: { definition: ${JSON.stringify(path)} } }`);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/`pipelines\.a\.definition` is not a path inside the repository/);
  });
});

describe('SEC-D-17 hostile YAML', () => {
  const bomb = `a: &a [x, x]\n${'bcdefghijk'
    .split('')
    .map((key, i) => `${key}: &${key} [*${'abcdefghij'[i]}, *${'abcdefghij'[i]}]`)
    .join('\n')}\npipelines: *k\n`;

  test.each<[string, string, RegExp]>([
    ['an alias bomb', bomb, /Excessive alias count/],
    [
      'more aliases than anybody needs',
      `a: &a 1\nb: [${'*a, '.repeat(200)}1]`,
      /:2:\d+: The file has more than 100 aliases/,
    ],
    ['an alias of itself', 'pipelines: &a\n  web: *a', /:2:8: This alias contains itself/],
    ['merge keys', 'a: &a { x: 1 }\npipelines: { b: { <<: *a } }', /`pipelines\.b\["<<"\]` is not a key/],
    ['deep brackets', `pipelines: ${'['.repeat(5000)}`, /Brackets are nested more than 64 deep/],
    [
      'deep blocks',
      `pipelines:\n${Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}- a:`).join('\n')}`,
      /penstock\.yml:/,
    ],
    ['dashes without end', '- '.repeat(30_000), /penstock\.yml:/],
    ['a function', 'pipelines: !!js/function "x"', /Unresolved tag/],
    ['an ordered map', 'pipelines: !!omap [a: 1]', /penstock\.yml:/],
    ['two documents', 'pipelines: {}\n---\npipelines: {}', /multiple documents/],
    ['__proto__', '__proto__: { polluted: 1 }\npipelines: {}', /:1:1: A key cannot be `__proto__`/],
    ['another YAML', '%YAML 1.1\n---\npipelines: {}', /not YAML 1\.2/],
    ['a tab', '\tpipelines: {}', /Tabs are not allowed/],
    ['64 KiB and one byte', `#${'x'.repeat(65_536)}`, /The file has 65537 bytes; at most 65536 are read/],
    ['NUL', '\0', /penstock\.yml:1:1/],
  ])('%s is an error, quickly and without harm', (_, text, expected) => {
    const before = process.cpuUsage();
    const lines = linesOf(text);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
    expect(lines.join('\n')).toMatch(expected);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('a byte order mark and Windows line ends are let pass', () => {
    expect(configOf(`\ufeff${full.replaceAll('\n', '\r\n')}`).pipelines).toHaveLength(2);
  });

  test('at most fifty problems are told', () => {
    const many = Array.from({ length: 500 }, (_, i) => `wrong${i}: 1`).join('\n');
    expect(linesOf(many).length).toBeLessThanOrEqual(51);
  });
});
