import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/command-list.ts';
import { usageLine, verbs, verbTable } from '../../src/commands/verbs.ts';
import { repositorySchema } from '../../src/config/repository-schema.ts';
import { readRepositoryConfig } from '../../src/config/repository.ts';
import { readServerConfig } from '../../src/config/server.ts';
import { gateSchema } from '../../src/config/gates-schema.ts';
import { serverSchema } from '../../src/config/server-schema.ts';
import { root } from './checkout.ts';

const documents = ['README.md', 'CONTRIBUTING.md', ...globSync(['docs/*.md', 'examples/*/README.md'], { cwd: root })];

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

test('links of the documents lead to files that exist', () => {
  const broken = documents.flatMap((file) =>
    [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => join(dirname(file), target))
      .filter((target) => !existsSync(join(root, target)))
      .map((target) => `${file} -> ${target}`),
  );
  expect(broken).toEqual([]);
});

describe('what the pages show to copy', () => {
  const samples = documents.flatMap((file) =>
    [...read(file).matchAll(/^```ya?ml\n([^]*?)^```/gm)].map(([, text = ''], n) => ({ at: `${file}, ${n + 1}`, text })),
  );

  test.each(samples)('is read without a problem: $at', ({ text }) => {
    const inGates = (lines: string) => `pipelines:\n  web:\n    definition: x.json\n    gates:\n${lines}`;
    const whole = /^[\w-]+\/[\w-]+:/.test(text) ? inGates(text.replaceAll(/^/gm, '      ')) : text;
    const readers = { server: readServerConfig, repository: readRepositoryConfig };
    const read = readers[/^pipelines:/m.test(whole) ? 'repository' : 'server'](whole, 'sample.yml');
    expect(read.ok ? [] : read.problems).toEqual([]);
  });
});

describe('docs/commands.md', () => {
  const text = read('docs/commands.md').replaceAll(/ +/g, ' ');

  test.each(verbs)('has the row of /%s as /help tells it', (verb) => {
    expect(text).toContain(`| \`${usageLine(verb, '/')}\` | ${verbTable[verb].does} |`);
  });

  test.each(commands.flatMap(({ usage }) => usage))('has penstock %s', (usage) => {
    expect(text).toContain(`\`penstock ${usage}\``);
  });
});

describe('docs/configuration.md', () => {
  const text = read('docs/configuration.md');
  const keysOf = (schema: { readonly shape: object }): readonly string[] => Object.keys(schema.shape);

  test('names every key of both files', () => {
    const keys = [...keysOf(repositorySchema), ...keysOf(gateSchema), ...keysOf(serverSchema)];
    expect(keys.filter((key) => !text.includes(key))).toEqual([]);
  });

  test('names every variable of the environment', () => {
    const used = [...read('src/config/env.ts').matchAll(/'([A-Z][A-Z_]{3,})'/g)].map(([, name = '']) => name);
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('docs/security-tests.md', () => {
  const rows = [...read('docs/security-tests.md').matchAll(/^\| (SEC-[A-Z]+-\d+) +\| (.+?) +\| (.+?) +\|$/gm)].map(
    ([, id = '', rule = '', files = '']) => ({
      id,
      rule,
      files: [...files.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
    }),
  );

  test('every test that it names exists and cites the rule', () => {
    expect(rows.length).toBeGreaterThan(50);
    const wrong = rows.flatMap(({ id, files }) =>
      files
        .filter((file) => !existsSync(join(root, 'test', file)) || !read(`test/${file}`).includes(id))
        .map((file) => `${id}: test/${file} does not cite it`),
    );
    expect([...wrong, ...rows.filter(({ files }) => files.length === 0).map(({ id }) => `${id} has no test`)]).toEqual(
      [],
    );
  });

  // Whoever adds a case of theirs here keeps it from getting lost.
  const numbered = (group: string, last: number) =>
    Array.from({ length: last }, (_, index) => `${group}-${String(index + 1).padStart(2, '0')}`);
  const approvalsAndCommands = [
    ...numbered('A', 19),
    ...numbered('B', 30),
    ...numbered('C', 18),
    ...numbered('D', 21),
    ...numbered('G', 6),
    'T-15',
  ];

  test('no case about approvals, commands, forks, builds and what they print is without a row', () => {
    const listed = new Set(rows.map(({ id }) => id));
    expect(approvalsAndCommands.filter((id) => !listed.has(`SEC-${id}`))).toEqual([]);
  });

  test('every case of a build is tried on each rung of isolation, or its row says that none matters', () => {
    const onRungs = /availableRungs\(/;
    const built = [...numbered('C', 14).slice(7), ...numbered('D', 20)].map((id) => `SEC-${id}`);
    const single = rows.filter(
      ({ id, rule, files }) =>
        built.includes(id) &&
        !rule.includes('no rung matters') &&
        !files.some((file) => onRungs.test(read(`test/${file}`))),
    );
    expect(single.map(({ id }) => id)).toEqual([]);
  });

  test('every test that cites a rule stands in its row', () => {
    const named = new Set(rows.flatMap(({ id, files }) => files.map((file) => `${id}: test/${file}`)));
    const cited = globSync('test/**/*.ts', { cwd: root }).flatMap((file) =>
      [...read(file).matchAll(/\bSEC-[A-Z]+-\d+\b/g)].map(([id]) => `${id}: ${file}`),
    );
    expect([...new Set(cited)].filter((one) => !named.has(one))).toEqual([]);
  });
});
