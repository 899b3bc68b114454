import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { permissionSets } from '../../src/github/tokens.ts';
import { subscribedEvents } from '../../src/github/webhook-event.ts';

interface Manifest {
  readonly default_permissions: Readonly<Record<string, string>>;
  readonly default_events: readonly string[];
}

const manifest = parse(readFileSync('app.yml', 'utf8')) as Manifest;
/** GitHub sends these to every App, subscribed or not. */
const alwaysSent = ['installation', 'installation_repositories'];

test('the App subscribes to what the door reads, and to nothing else', () => {
  expect([...manifest.default_events, ...alwaysSent].toSorted()).toEqual([...subscribedEvents].toSorted());
});

test('SEC-T-01 the App holds every permission that its tokens ask for', () => {
  for (const permissions of Object.values(permissionSets)) {
    for (const [permission, level] of Object.entries(permissions)) {
      expect(['write', level]).toContain(manifest.default_permissions[permission]);
    }
  }
});

test('SEC-T-03 the App cannot change code, workflows or settings', () => {
  const held = Object.entries(manifest.default_permissions);
  expect(held).not.toContainEqual(['contents', 'write']);
  for (const name of ['workflows', 'administration', 'actions', 'secrets', 'organization_administration']) {
    expect(Object.keys(manifest.default_permissions)).not.toContain(name);
  }
});
