import { execFileSync, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { afterAll } from 'vitest';

/** A real repository with real commits, served over HTTP to who brings the token. */
export interface ServedRepository {
  readonly url: string;
  readonly directory: string;
  readonly requests: { authorization: string | undefined; url: string }[];
  commit(files: Readonly<Record<string, string>>, message: string): string;
  git(...args: string[]): string;
}

export async function serveRepository(directory: string, token: string): Promise<ServedRepository> {
  mkdirSync(directory, { recursive: true });
  const env = {
    PATH: process.env['PATH'] ?? '',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'Ann',
    GIT_AUTHOR_EMAIL: 'ann@example.org',
    GIT_AUTHOR_DATE: '2026-07-01T10:00:00+02:00',
    GIT_COMMITTER_NAME: 'Ann',
    GIT_COMMITTER_EMAIL: 'ann@example.org',
  };
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: directory, env, encoding: 'utf8' }).trim();
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  const requests: ServedRepository['requests'] = [];
  const expected = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  const server = createServer((request, response) => {
    requests.push({ authorization: request.headers.authorization, url: request.url ?? '' });
    if (request.headers.authorization !== expected) return void response.writeHead(401).end('Authentication failed');
    answer(join(directory, '.git'), request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/acme/web.git`,
    directory,
    requests,
    git,
    commit: (files, message) => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, path)), { recursive: true });
        writeFileSync(join(directory, path), text);
      }
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '-m', message);
      return git('rev-parse', 'HEAD');
    },
  };
}

function answer(gitDirectory: string, request: IncomingMessage, response: ServerResponse): void {
  const advertise = request.url?.includes('info/refs') === true;
  const protocol = request.headers['git-protocol'];
  const child = spawn(
    'git',
    ['upload-pack', '--stateless-rpc', ...(advertise ? ['--advertise-refs'] : []), gitDirectory],
    {
      env: { PATH: process.env['PATH'] ?? '', ...(typeof protocol === 'string' ? { GIT_PROTOCOL: protocol } : {}) },
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  const kind = advertise ? 'advertisement' : 'result';
  response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${kind}` });
  if (advertise) response.write('001e# service=git-upload-pack\n0000');
  // What a clone has is long once it has much, and is sent packed.
  const isPacked = request.headers['content-encoding'] === 'gzip';
  (isPacked ? request.pipe(createGunzip()) : request).pipe(child.stdin);
  child.stdin.on('error', () => {});
  child.stdout.pipe(response);
}
