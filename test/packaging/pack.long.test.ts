import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runsTypeScript } from '../../src/check-node.mjs';
import { copyCheckout, pack, plainEnvironment, root, systemNode } from './checkout.ts';

let directory: string;
let elsewhere: string;
let installed: string;

/** The packed tarball, installed by npm in an empty folder. */
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'penstock-pack-'));
  copyCheckout(join(directory, 'checkout'));
  const tarball = pack(join(directory, 'checkout'), directory);
  elsewhere = join(directory, 'elsewhere');
  installed = join(elsewhere, 'node_modules/penstock');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'package.json'), '{ "name": "elsewhere", "private": true }');
  // What npm ci has fetched is not asked for again.
  const words = ['install', '--prefer-offline', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', tarball];
  const install = spawnSync('npm', words, {
    cwd: elsewhere,
    encoding: 'utf8',
    env: { ...process.env, ...plainEnvironment() },
  });
  expect([install.status, install.stderr]).toEqual([0, expect.any(String)]);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function run(node: string, ...args: string[]) {
  return told(node, [join(installed, 'src/penstock.mjs'), ...args]);
}

function told(program: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: elsewhere,
    encoding: 'utf8',
    env: plainEnvironment(),
  });
  return { status, stdout, stderr };
}

describe('the packed package', () => {
  test('prints its help and its version where it is installed', () => {
    expect(run(process.execPath, '--help')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Commands:') as string,
    });
    expect(run(process.execPath, '--version').stdout).toMatch(/^penstock \d+\.\d+\.\d+\n$/);
    expect(told(join(elsewhere, 'node_modules/.bin/penstock'), ['--help']).status).toBe(0);
  });

  test('runs a command that reads files and one that opens the database with its migrations', () => {
    expect(run(process.execPath, 'validate', join(root, 'examples/web'))).toMatchObject({
      status: 0,
      stdout: 'No problems.\n',
    });
    expect(run(process.execPath, 'migrate')).toMatchObject({
      status: 0,
      stdout: 'The embedded database has the newest schema.\n',
    });
  });

  test('carries what it needs and nothing of the checkout beside it', () => {
    for (const file of ['dist/src/cli.js', 'dist/migrations', 'app.yml', 'src/penstock.mjs', 'src/check-node.mjs']) {
      expect([file, existsSync(join(installed, file))]).toEqual([file, true]);
    }
    // So that the first start of a database computes nothing.
    expect(globSync('dist/embedded-*.tar.gz', { cwd: installed })).toHaveLength(1);
    for (const file of ['src/cli.ts', 'test', 'node_modules', '.ci']) {
      expect([file, existsSync(join(installed, file))]).toEqual([file, false]);
    }
  });

  test('is started by an old Node with the Node that came along', (context) => {
    const node = systemNode();
    if (node === undefined || runsTypeScript(node.version)) {
      context.skip(`the Node of this machine, ${node?.version ?? 'none'}, runs TypeScript by itself`);
    } else {
      expect(run(node.file, '--version')).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/^penstock /) as string,
      });
      expect(run(node.file, 'servr').status).toBe(2);
    }
  });
});
