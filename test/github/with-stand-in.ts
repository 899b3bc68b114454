import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { startStandIn } from '../../src/demo/github/stand-in.ts';
import type { StandIn } from '../../src/demo/github/stand-in.ts';
import type { GitHub, RepositoryRef } from '../../src/github/github.ts';
import { defaultServerConfig } from '../../src/config/server.ts';
import { createGitHub } from '../../src/github/octokit-github.ts';

export interface World {
  readonly site: StandIn;
  readonly github: GitHub;
  readonly web: RepositoryRef;
  /** The first commit on main. */
  readonly first: string;
  /** Method and path of every request so far. */
  readonly asked: readonly string[];
}

export const silent = pino({ level: 'silent' });

/** A stand-in GitHub over HTTP with the repository acme/web and the App installed; ends with the test. */
export async function openWorld(): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'penstock-github-'));
  const site = await startStandIn({ webhookSecret: 'x'.repeat(32), directory });
  onTestFinished(async () => {
    await site.stop();
    rmSync(directory, { recursive: true });
  });
  const asked: string[] = [];
  site.onExchange(({ method, path }) => asked.push(`${method} ${path}`));
  const made = await site.createRepository({ owner: 'acme', name: 'web', files: { 'README.md': 'hello\n' } });
  const installationId = site.install({ owner: 'acme' });
  for (const login of ['ada', 'bob']) {
    site.createAccount({ login });
    site.setPermission('acme/web', login, 'write');
  }
  const { appId, privateKey, url: baseUrl } = site;
  const github = createGitHub({ appId, privateKey, baseUrl, pace: defaultServerConfig.github, log: silent });
  const web = { id: made.id, owner: 'acme', name: 'web', installationId };
  return { site, github, web, first: made.head ?? '', asked };
}
