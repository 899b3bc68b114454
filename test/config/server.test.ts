import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadServerConfig } from '../../src/config/load-server.ts';
import { defaultBuildLimits } from '../../src/config/limits-schema.ts';
import { readSecrets, secretsOf } from '../../src/config/secrets.ts';
import {
  bindingFor,
  defaultServerConfig,
  grantsFor,
  readServerConfig,
  serverConfigJsonSchema,
  serves,
} from '../../src/config/server.ts';
import { formatProblem } from '../../src/pipeline/problem.ts';

const folder = mkdtempSync(join(tmpdir(), 'penstock-server-'));
afterAll(() => rmSync(folder, { recursive: true }));

const full = `repositories: [acme/web, acme/shop, other/*]
bindings:
  - repository: acme/shop
    pipeline: shop
    aws: { account: "111122223333", region: eu-west-1, pipelineName: shop-prod, roleArn: "arn:aws:iam::111122223333:role/penstock", externalId: generated }
embedded: { isolation: bubblewrap, network: none, maxConcurrentActions: 2 }
github: { writesAtOnce: 50 }
aws:
  callsPerSecond: 8
  queues:
    - url: https://sqs.eu-west-1.amazonaws.com/111122223333/penstock-events
      roleArn: arn:aws:iam::111122223333:role/penstock-events
      externalId: an-id-that-nobody-guesses
secrets:
  NPM_TOKEN: { fromEnv: NPM_TOKEN, repositories: [acme/web] }
awsSecrets:
  - { repositories: [acme/*], region: eu-west-1, parameters: [/acme/*] }
api: { port: 3001, url: "https://api.acme.test/", continuationDelaySeconds: 60 }
events:
  chat: { https: { url: "https://hooks.acme.test/x", key: { fromEnv: KEY } }, repositories: [acme/web] }
  queue: { sqs: { queueUrl: "https://sqs.eu-west-1.amazonaws.com/1/q", region: eu-west-1 } }
notices:
  chat: { https: { url: "https://hooks.acme.test/y", key: { fromFile: key } } }
  releases:
    sqs: { queueUrl: "https://sqs.eu-west-1.amazonaws.com/1/n", region: eu-west-1 }
    repositories: [acme/*]
    topics: ["arn:aws:sns:eu-west-1:111122223333:releases"]
`;

function configOf(text: string) {
  const read = readServerConfig(text);
  if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'));
  return read.config;
}

function linesOf(text: string): readonly string[] {
  const read = readServerConfig(text);
  return read.ok ? [] : read.problems.map(formatProblem);
}

describe('penstock.server.yml', () => {
  test('the example of the design is read whole', () => {
    expect(configOf(full)).toEqual({
      repositories: [
        { owner: 'acme', name: 'web' },
        { owner: 'acme', name: 'shop' },
        { owner: 'other', name: null },
      ],
      bindings: [
        {
          repository: { owner: 'acme', name: 'shop' },
          pipeline: 'shop',
          aws: {
            account: '111122223333',
            region: 'eu-west-1',
            pipelineName: 'shop-prod',
            roleArn: 'arn:aws:iam::111122223333:role/penstock',
            externalId: 'generated',
          },
        },
      ],
      github: { writesAtOnce: 50, writesPerSecond: 1 },
      aws: {
        callsPerSecond: 8,
        queues: [
          {
            url: 'https://sqs.eu-west-1.amazonaws.com/111122223333/penstock-events',
            region: 'eu-west-1',
            roleArn: 'arn:aws:iam::111122223333:role/penstock-events',
            externalId: 'an-id-that-nobody-guesses',
          },
        ],
      },
      embedded: {
        isolation: 'bubblewrap',
        network: 'none',
        allowHosts: [],
        maxConcurrentActions: 2,
        limits: defaultBuildLimits,
        aws: [],
      },
      secrets: [
        { name: 'NPM_TOKEN', source: { fromEnv: 'NPM_TOKEN' }, repositories: [{ owner: 'acme', name: 'web' }] },
      ],
      awsSecrets: [
        { repositories: [{ owner: 'acme', name: null }], region: 'eu-west-1', parameters: ['/acme/*'], secrets: [] },
      ],
      approvals: { allowAuthor: false, allowLastPusher: false, allowCommitters: false },
      api: {
        port: 3001,
        host: '127.0.0.1',
        url: 'https://api.acme.test',
        account: '000000000000',
        region: 'us-east-1',
        continuationDelaySeconds: 60,
      },
      events: [
        {
          name: 'chat',
          repositories: [{ owner: 'acme', name: 'web' }],
          target: { kind: 'https', url: 'https://hooks.acme.test/x', key: { fromEnv: 'KEY' }, allowPrivate: false },
        },
        {
          name: 'queue',
          repositories: 'all',
          target: { kind: 'sqs', queueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/q', region: 'eu-west-1' },
        },
      ],
      notices: [
        {
          name: 'chat',
          repositories: 'all',
          topics: 'all',
          target: { kind: 'https', url: 'https://hooks.acme.test/y', key: { fromFile: 'key' }, allowPrivate: false },
        },
        {
          name: 'releases',
          repositories: [{ owner: 'acme', name: null }],
          topics: ['arn:aws:sns:eu-west-1:111122223333:releases'],
          target: { kind: 'sqs', queueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/n', region: 'eu-west-1' },
        },
      ],
    });
  });

  test('an empty file, and no file, are the defaults; a file that was named has to exist', async () => {
    expect(configOf('')).toEqual(defaultServerConfig);
    const missing = join(folder, 'none.yml');
    expect(await loadServerConfig({ configFile: missing, configFileNamed: false })).toEqual({
      ok: true,
      config: defaultServerConfig,
    });
    expect(await loadServerConfig({ configFile: missing, configFileNamed: true })).toMatchObject({
      ok: false,
      problems: [{ file: missing, mend: 'Correct PENSTOCK_CONFIG, or make the file.' }],
    });
    const there = join(folder, 'there.yml');
    writeFileSync(there, 'embedded: { maxConcurrentActions: 9 }\n');
    expect(await loadServerConfig({ configFile: there, configFileNamed: true })).toMatchObject({
      config: { embedded: { isolation: 'auto', maxConcurrentActions: 9 } },
    });
  });

  test('what rules may ask of AWS is granted by repository, and to nobody else', () => {
    const grant = 'region: eu-west-1, roleArn: "arn:aws:iam::111122223333:role/rules"';
    const config = configOf(`embedded:
  aws:
    - { repositories: [acme/Web], ${grant}, alarms: [web-*] }
    - { repositories: [acme/web, acme/api], ${grant}, functions: [smoke], answersAt: "https://penstock.example:8443/" }
`);
    expect(grantsFor(config, 'ACME', 'web').map(({ alarms, functions }) => [alarms, functions])).toEqual([
      [['web-*'], []],
      [[], ['smoke']],
    ]);
    expect(grantsFor(config, 'acme', 'api')).toMatchObject([
      { externalId: 'generated', answersAt: 'https://penstock.example:8443' },
    ]);
    expect(grantsFor(config, 'acme', 'other')).toEqual([]);
  });

  test('limits of builds are sizes, counts and times; what is not written stays as it is', () => {
    const { limits } = configOf(
      'embedded: { limits: { memory: 2GiB, processes: 512, files: 200000, disk: 4GiB, fileSize: 512MiB, logSize: 8MiB, defaultTime: 15m, maximumTime: 1h } }',
    ).embedded;
    expect(limits).toEqual({
      memoryBytes: 2 * 1024 ** 3,
      processes: 512,
      files: 200_000,
      diskBytes: 4 * 1024 ** 3,
      fileBytes: 512 * 1024 ** 2,
      logBytes: 8 * 1024 ** 2,
      defaultMinutes: 15,
      maximumMinutes: 60,
    });
    expect(configOf('embedded: { limits: { processes: 512 } }').embedded.limits).toEqual({
      ...defaultBuildLimits,
      processes: 512,
    });
  });

  test.each([
    ['memory: 2048', '`embedded.limits.memory` must be a text'],
    ['memory: 2GB', '`embedded.limits.memory` is not a size that can be used here. Write a number and MiB, GiB or TiB'],
    ['memory: 1MiB', 'at least 128MiB'],
    ['processes: 2', '`embedded.limits.processes`'],
    ['files: -1', '`embedded.limits.files`'],
    ['disk: unlimited', '`embedded.limits.disk` is not a size'],
    ['maximumTime: 90', '`embedded.limits.maximumTime`'],
    ['maximumTime: 2d', '`embedded.limits.maximumTime` is not a time that can be used here.'],
    ['defaultTime: 2h, maximumTime: 1h', 'has a defaultTime above its maximumTime.'],
    ['cpus: 2', 'Known keys here: memory, processes, files, disk, fileSize, logSize, defaultTime, maximumTime.'],
  ])('the limit %s is refused with the mend', (written, words) => {
    const lines = linesOf(`embedded:\n  limits: { ${written} }`).join('\n');
    expect(lines).toContain(words);
    expect(lines).toMatch(/penstock\.server\.yml:2:\d+/);
  });

  test.each([
    ['', '`embedded.aws[0]` allows nothing. List alarms, functions or both.'],
    ['functions: [smoke]', '`embedded.aws[0]` lets functions be called that could not answer. Add answersAt'],
    ['alarms: [x], repositories: [acme/*]', 'Write owner/name: a role is never shared by pattern.'],
    ['functions: [x], answersAt: "http://penstock.example"', '`embedded.aws[0].answersAt` is not an address.'],
    ['alarms: [""]', '`embedded.aws[0].alarms[0]` is not a name.'],
  ])('a grant with %s is refused with the mend', (rest, line) => {
    const repositories = rest.includes('repositories') ? '' : 'repositories: [acme/web], ';
    const role = 'region: eu-west-1, roleArn: "arn:aws:iam::111122223333:role/rules"';
    const lines = linesOf(`embedded: { aws: [{ ${repositories}${role}${rest === '' ? '' : `, ${rest}`} }] }`);
    expect(lines.join('\n')).toContain(line);
  });

  test.each<[string, string]>([
    [
      'repositories: [web]',
      'penstock.server.yml:1:16: `repositories[0]` is not a repository. Write owner/name, or owner/* for all repositories of one owner.',
    ],
    [
      'repositories: ["*/*"]',
      'penstock.server.yml:1:16: `repositories[0]` is not a repository. Write owner/name, or owner/* for all repositories of one owner.',
    ],
    [
      'repositories: [acme/..]',
      'penstock.server.yml:1:16: `repositories[0]` is not a repository. Write owner/name, or owner/* for all repositories of one owner.',
    ],
    [
      'repositores: [a/b]',
      'penstock.server.yml:1:1: `repositores` is not a key that Penstock knows. Known keys here: repositories, bindings, github, aws, embedded, secrets, awsSecrets, approvals, api, events, notices.',
    ],
    [
      'embedded:\n  isolation: docker',
      'penstock.server.yml:2:14: `embedded.isolation` cannot be "docker". Write one of auto, bubblewrap, unshare, process.',
    ],
    [
      'aws: { queues: [{ url: "https://queue.test/1/x" }] }',
      'penstock.server.yml:1:24: `aws.queues[0].url` is not the address of a queue of SQS (a FIFO queue cannot be one: EventBridge has no order to keep). Write it as in https://sqs.eu-west-1.amazonaws.com/111122223333/penstock-events.',
    ],
    [
      'aws: { queues: [{ url: "http://127.0.0.1:9/111122223333/events" }] }',
      'penstock.server.yml:1:17: `aws.queues[0]` names no region. Write region: as in eu-west-1.',
    ],
    [
      'aws: { queues: [{ url: "https://sqs.eu-west-1.amazonaws.com/111122223333/e", externalId: abcdefghijklmnop }] }',
      'penstock.server.yml:1:17: `aws.queues[0]` has an external id and no role. Write roleArn: too, or leave externalId: out.',
    ],
    [
      'github: { writesPerSecond: 1.5 }',
      'penstock.server.yml:1:28: `github.writesPerSecond` must be a whole number. It is 1.5 now.',
    ],
    ['aws: { callsPerSecond: 0 }', 'penstock.server.yml:1:24: `aws.callsPerSecond` is too small. At least 1.'],
    [
      'embedded: { allowHosts: ["https://x.test/a"] }',
      'penstock.server.yml:1:26: `embedded.allowHosts[0]` is not a host. Write a host name, or *.example.org for all below it; no scheme, port or path.',
    ],
    [
      'secrets: { A: { repositories: [a/b] } }',
      'penstock.server.yml:1:15: `secrets.A` needs one source. Write either fromEnv: NAME or fromFile: path.',
    ],
    [
      'secrets: { A: { fromEnv: X } }',
      'penstock.server.yml:1:15: `secrets.A.repositories` is missing. Add it: a list.',
    ],
    [
      'events: { a: { https: { url: "http://10.0.0.1/", key: { fromEnv: K } } } }',
      'penstock.server.yml:1:23: `events.a.https` begins with http:, so everything would travel in the clear. Write https:, or set allowPrivate: true for an address of your own network.',
    ],
    ['notices: { a: {} }', 'penstock.server.yml:1:15: `notices.a` needs one receiver. Write either https: or sqs:.'],
    [
      'notices:\n  a:\n    sqs: { queueUrl: "https://q.test/1/q", region: eu-west-1 }\n    topics: [releases]',
      'penstock.server.yml:4:14: `notices.a.topics[0]` is not the ARN of a topic. Write it as the NotificationArn of the action: arn:aws:sns:<region>:<account>:<topic>.',
    ],
    [
      'notices: { a: { https: { url: "https://h.test/", key: { fromEnv: K } }, topic: [x] } }',
      'penstock.server.yml:1:73: `notices.a.topic` is not a key that Penstock knows. Known keys here: https, sqs, repositories, topics.',
    ],
    ['events: { a: {} }', 'penstock.server.yml:1:14: `events.a` needs one receiver. Write either https: or sqs:.'],
    ['secrets: { A: hunter2 }', 'penstock.server.yml:1:15: `secrets.A` must be keys with values. It is "hunter2" now.'],
  ])('%s is refused at its place', (text, line) => {
    expect(linesOf(text)).toEqual([line]);
  });

  test.each<[string, string, RegExp]>([
    [
      'a pattern instead of one repository',
      full.replace('repository: acme/shop', 'repository: acme/*'),
      /:3:17: .*has to be one repository/,
    ],
    [
      'an account as a number',
      full.replace('"111122223333"', '111122223333'),
      /:5:21: .*must be a text, but YAML reads 111122223333 as a number\. Put it in quotes/,
    ],
    [
      'a role of another account',
      full.replace('::111122223333:', '::999922223333:'),
      /:3:5: `bindings\[0\]` names a role of another account/,
    ],
    ['a region that is none', full.replace('eu-west-1', 'europe'), /is not an AWS region/],
    [
      'an external id that can be guessed',
      full.replace('externalId: generated', 'externalId: acme'),
      /is not a good external id/,
    ],
  ])('SEC-T-05 a binding with %s is refused', (_, text, expected) => {
    expect(linesOf(text)).toHaveLength(1);
    expect(linesOf(text)[0]).toMatch(expected);
  });

  test('two bindings for one name are refused: it could not be told which one counts', () => {
    const binding = full.slice(full.indexOf('  - repository'), full.indexOf('embedded:'));
    const twice = `bindings:\n${binding}${binding.replace('acme/shop', 'Acme/Shop')}`;
    expect(linesOf(twice)).toEqual([
      'penstock.server.yml:5:5: Acme/Shop has two bindings for the pipeline shop. Remove one of them.',
    ]);
  });

  test('which repositories are served, and who may drive which AWS pipeline', () => {
    const config = configOf(full);
    expect(serves(config, 'Acme', 'WEB')).toBe(true);
    expect(serves(config, 'other', 'anything')).toBe(true);
    expect(serves(config, 'acme', 'secret')).toBe(false);
    expect(serves(defaultServerConfig, 'any', 'thing')).toBe(true);
    expect(bindingFor(config, 'acme', 'Shop', 'shop')?.aws.pipelineName).toBe('shop-prod');
    expect(bindingFor(config, 'acme', 'web', 'shop')).toBeNull();
    expect(bindingFor(config, 'acme', 'shop', 'other')).toBeNull();
  });

  test('editors get a schema that refuses unknown keys', () => {
    expect(serverConfigJsonSchema()).toMatchObject({ type: 'object', additionalProperties: false });
  });
});

describe('secrets', () => {
  const repositories = [{ owner: 'acme', name: 'web' }];

  test('come from the environment or from files, for the named repositories only', async () => {
    const path = join(folder, 'token');
    writeFileSync(path, 's3cret\n');
    const read = await readSecrets(
      [
        { name: 'NPM', source: { fromEnv: 'NPM_TOKEN' }, repositories },
        { name: 'FILE', source: { fromFile: path }, repositories: [{ owner: 'other', name: null }] },
      ],
      { NPM_TOKEN: 'abcdef' },
    );
    if (!read.ok) throw new Error(read.problems.join());
    expect(secretsOf(read.secrets, 'acme', 'web').map(({ name, value }) => [name, value])).toEqual([['NPM', 'abcdef']]);
    expect(secretsOf(read.secrets, 'other', 'x').map(({ name, value }) => [name, value])).toEqual([['FILE', 's3cret']]);
  });

  test('a name without a value stops the start and says what to do', async () => {
    const rules = [
      { name: 'NPM', source: { fromEnv: 'NPM_TOKEN' }, repositories },
      { name: 'FILE', source: { fromFile: join(folder, 'nowhere') }, repositories },
    ];
    const read = await readSecrets(rules, { NPM_TOKEN: '' });
    expect(read.ok ? [] : read.problems).toEqual([
      'secrets.NPM: the environment variable NPM_TOKEN is not set. Set it, or remove the secret.',
      `secrets.FILE: the file ${join(folder, 'nowhere')} cannot be read (ENOENT). Correct the path or its permissions.`,
    ]);
  });

  test('SEC-D-09: a value too short to be masked stops the start', async () => {
    const rules = [{ name: 'PIN', source: { fromEnv: 'PIN' }, repositories }];
    expect(await readSecrets(rules, { PIN: '12345' })).toEqual({
      ok: false,
      problems: [
        'secrets.PIN: the value has fewer than 6 bytes, which cannot be masked in logs. Use a longer one, or write it as a plain variable.',
      ],
    });
    expect(await readSecrets(rules, { PIN: '123456' })).toMatchObject({ ok: true });
  });
});
