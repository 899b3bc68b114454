import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/command-list.ts';
import { nearest } from '../../src/cli/suggest.ts';
import { penstock } from './run-command.ts';

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
    expect(err).toContain("'--jsno'");
    expect(err).toContain('Usage: penstock status [--json]');
  });
});

test.each([
  ['servr', 'serve'],
  ['serev', 'serve'],
  ['LOGS', 'logs'],
  ['log', 'logs'],
  ['statsu', 'status'],
  ['deploy', undefined],
  ['', undefined],
])('%j is near to %j', (word, meant) => {
  expect(nearest(word, ['serve', 'status', 'logs', 'doctor'])).toBe(meant);
});
