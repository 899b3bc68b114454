/** Clone and fetch over HTTP, with an installation token that may read contents of that repository. Never push. */
import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ApiError } from './api-error.ts';
import { findToken, holds, reaches } from './auth.ts';
import { gitEnvironment } from './git.ts';
import { findRepository } from './route.ts';
import type { Site } from './site.ts';
import type { Repository } from './state.ts';

export interface GitRequest {
  readonly repository: string;
  readonly service: string;
  readonly advertise: boolean;
}

/** null when the address is not one of git's. */
export function gitRequest(url: string, method: string): GitRequest | null {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const match = /^\/([^/]+\/[^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(pathname);
  if (match === null) return null;
  const [, repository = '', rest = ''] = match;
  if (rest === 'info/refs') return { repository, service: searchParams.get('service') ?? '', advertise: true };
  return method === 'POST' ? { repository, service: rest, advertise: false } : null;
}

export async function answerGit(
  site: Site,
  asked: GitRequest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const repository = permitted(site, asked, request.headers.authorization);
    await uploadPack(repository, asked, request, response);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    request.resume();
    response.writeHead(error.status, { 'content-type': 'text/plain', ...error.headers }).end(`${error.message}\n`);
  }
}

function permitted(site: Site, asked: GitRequest, authorization: string | undefined): Repository {
  const challenge = { headers: { 'www-authenticate': 'Basic realm="GitHub"' } };
  const [scheme = '', encoded = ''] = (authorization ?? '').split(' ');
  const [name, ...password] = Buffer.from(encoded, 'base64').toString().split(':');
  if (scheme.toLowerCase() !== 'basic' || name !== 'x-access-token')
    throw new ApiError(401, 'Authentication required', challenge);
  const token = findToken(site, password.join(':'));
  const repository = findRepository(site, asked.repository);
  if (repository === null || !reaches(token, repository)) throw new ApiError(404, 'Repository not found.');
  if (asked.service !== 'git-upload-pack') throw new ApiError(403, 'Write access to repository not granted.');
  if (!holds(token.permissions, 'contents:read')) throw new ApiError(403, 'Read access to repository not granted.');
  return repository;
}

/** The advertisement of protocol version 2 has no service line in front of it. */
async function uploadPack(
  repository: Repository,
  { advertise }: GitRequest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const protocol = String(request.headers['git-protocol'] ?? '');
  const args = ['upload-pack', '--stateless-rpc', ...(advertise ? ['--http-backend-info-refs'] : []), repository.path];
  const env = { ...gitEnvironment(), ...(protocol === '' ? {} : { GIT_PROTOCOL: protocol }) };
  const child = spawn('git', args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  const type = `application/x-git-upload-pack-${advertise ? 'advertisement' : 'result'}`;
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' });
  if (advertise && !protocol.includes('version=2')) response.write('001e# service=git-upload-pack\n0000');
  const zipped = request.headers['content-encoding'] === 'gzip';
  const input = zipped ? pipeline(request, createGunzip(), child.stdin) : pipeline(request, child.stdin);
  await Promise.all([input.catch(() => child.kill()), pipeline(child.stdout, response).catch(() => child.kill())]);
}
