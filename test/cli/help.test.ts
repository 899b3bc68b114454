import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/command-list.ts';
import { closest } from '../../src/pipeline/closest.ts';
import { penstock } from './run-command.ts';

const folder = join(import.meta.dirname, '../../src/cli');

/** From the code that reads them. */
function optionsTaken(command: string): readonly string[] {
  const list = readFileSync(join(folder, 'command-list.ts'), 'utf8');
  const [, file = ''] = new RegExp(`name: '${command}',[^]*?import\\('(.+?)'\\)`).exec(list) ?? [];
  const source = readFileSync(join(folder, file === './run.ts' ? './run-options.ts' : file), 'utf8');
  return [...source.matchAll(/'?([a-z-]+)'?: \{ type: '(?:string|boolean)'/g)].map(([, name]) => `--${name}`);
}

describe('asking for help', () => {
  test('lists every command with what it does', async () => {
    const { code, out } = await penstock(['--help']);
    expect(code).toBe(0);
    const width = Math.max(...commands.map(({ name }) => name.length));
    for (const { name, summary } of commands) expect(out).toContain(`  ${name.padEnd(width)}  ${summary}`);
  });

  test.each(commands.map(({ name }) => name))('penstock %s --help says how it is called', async (name) => {
    const { code, out } = await penstock([name, '--help']);
    expect([code, out.split('\n')[0]]).toEqual([0, expect.stringMatching(new RegExp(`^Usage: penstock ${name}`))]);
  });

  test.each(['--help', '-h'])('after a command, before it or as a word: all say the same (%s)', async (asked) => {
    const said = await penstock(['logs', asked]);
    expect(said.out).toContain('-f, --follow  go on until the execution has ended');
    expect(await penstock(['help', 'logs'])).toEqual(said);
    expect(await penstock([asked, 'logs'])).toEqual(said);
  });

  test.each(commands.map(({ name, options = [] }) => [name, options] as const))(
    'the help of %s has its options, all of them, and no others',
    (name, options) => {
      const told = options.flatMap(([written]) => written.match(/--[a-z-]+/g) ?? []);
      expect(told.toSorted()).toEqual(optionsTaken(name).toSorted());
    },
  );

  test('without a command the list is printed, and the exit code says that nothing was done', async () => {
    expect(await penstock([])).toMatchObject({ code: 2, out: expect.stringContaining('Commands:') as string });
  });

  test('the version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await penstock(['--version'])).toEqual({ code: 0, out: `penstock ${version}\n`, err: '' });
  });
});

describe('a mistake', () => {
  test('in a command names the one that was meant', async () => {
    expect(await penstock(['valdiate'])).toMatchObject({
      code: 2,
      err: 'penstock has no command "valdiate". Did you mean `penstock validate`?\n',
    });
  });

  test('that is near to nothing lists the commands', async () => {
    const { err } = await penstock(['frobnicate']);
    expect(err).toContain('The commands are serve, ');
  });

  test('in an option is answered with the usage', async () => {
    const { code, err } = await penstock(['status', '--jsno']);
    expect(code).toBe(2);
    expect(err).toBe(
      'penstock status has no option --jsno. Did you mean --json?\n\nUsage: penstock status [--json]\n\n' +
        'penstock status --help says what it all means.\n',
    );
  });

  test.each([
    [['--json', 'status'], 'penstock has no option --json. Options of a command come after its name.'],
    [['help', 'lgos'], 'penstock has no command "lgos". Did you mean `penstock logs`?'],
    [['logz', '--help'], 'penstock has no command "logz". Did you mean `penstock logs`?'],
    [['migrate', 'now'], 'penstock migrate takes no argument "now".'],
    [['api-key', 'create', '--repository'], '--repository needs a value after it.'],
    [['run', 'a.json', '--var', '--json'], '--var needs a value after it.'],
    [['audit', '--limit', '-3'], '--limit needs a value after it.'],
    [['validate', '--json=yes'], '--json takes no value.'],
    [['doctor', '-x'], 'penstock doctor has no option -x.'],
  ])('%j is answered in one line first', async (argv, said) => {
    const { code, out, err } = await penstock(argv);
    expect([code, out, err.split('\n')[0]]).toEqual([2, '', said]);
  });
});

test.each([
  ['servr', 'serve'],
  ['serev', 'serve'],
  ['LOGS', 'logs'],
  ['log', 'logs'],
  ['statsu', 'status'],
  ['lgos', 'logs'],
  ['lo', undefined],
  ['deploy', undefined],
  ['', undefined],
])('%j is near to %j', (word, meant) => {
  expect(closest(word, ['serve', 'status', 'logs', 'doctor'])).toBe(meant);
});
