import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runsTypeScript } from '../../src/check-node.mjs';
import { root, systemNode } from './checkout.ts';

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
