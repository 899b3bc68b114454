import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runsTypeScript } from '../../src/check-node.mjs';
import { copyCheckout, linkDependencies, pack, plainEnvironment, root, systemNode } from './checkout.ts';

let directory: string;
let installed: string;

/** The packed tarball, unpacked as npm would, with the dependencies of this checkout beside it. */
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'penstock-pack-'));
  copyCheckout(join(directory, 'checkout'));
  const tarball = pack(join(directory, 'checkout'), directory);
  linkDependencies(join(directory, 'elsewhere/node_modules'));
  installed = join(directory, 'elsewhere/node_modules/penstock');
  mkdirSync(installed);
  const unpacked = spawnSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components', '1'], {
    encoding: 'utf8',
  });
  expect([unpacked.status, unpacked.stderr]).toEqual([0, '']);
}, 120_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function run(node: string, ...args: string[]) {
  const launcher = join(installed, 'src/penstock.mjs');
  const { status, stdout, stderr } = spawnSync(node, [launcher, ...args], {
    cwd: join(directory, 'elsewhere'),
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

test.each([
  ['v20.20.2', false],
  ['v22.17.9', false],
  ['v22.18.0', true],
  ['v22.20.1', true],
  ['v23.0.0', true],
  ['v24.21.0', true],
  ['v100.0.0', true],
])('Node %s is able: %s', (version, able) => {
  expect(runsTypeScript(version)).toBe(able);
});

describe('an old Node', () => {
  const node = systemNode();
  const isOld = node !== undefined && !runsTypeScript(node.version);

  test('is told what to do by the check before npm scripts', (context) => {
    if (!isOld) context.skip(`the Node of this machine, ${node?.version ?? 'none'}, is new enough`);
    const { status, stderr } = spawnSync(node?.file ?? '', [join(root, 'src/check-node.mjs')], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, expect.stringContaining('npm ci')]);
  });

  test('runs the checkout all the same, through the launcher', (context) => {
    if (!isOld) context.skip(`the Node of this machine, ${node?.version ?? 'none'}, is new enough`);
    const { status, stdout } = spawnSync(node?.file ?? '', [join(root, 'src/penstock.mjs'), '--help'], {
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, expect.stringContaining('Commands:')]);
  });
});
