import { spawn } from 'node:child_process';
import { createServer } from 'node:http';

export interface GitServer {
  readonly url: string;
  close(): Promise<void>;
}

/** One repository for reading over HTTP, as GitHub would serve it, without asking for a token. */
export async function serveGit(gitDirectory: string): Promise<GitServer> {
  const server = createServer((request, response) => {
    const advertise = request.url?.includes('info/refs') === true;
    const protocol = request.headers['git-protocol'];
    const env = {
      PATH: process.env['PATH'] ?? '',
      ...(typeof protocol === 'string' ? { GIT_PROTOCOL: protocol } : {}),
    };
    const args = ['upload-pack', '--stateless-rpc', ...(advertise ? ['--advertise-refs'] : []), gitDirectory];
    const child = spawn('git', args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
    const kind = advertise ? 'advertisement' : 'result';
    response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${kind}` });
    if (advertise) response.write('001e# service=git-upload-pack\n0000');
    request.pipe(child.stdin);
    child.stdin.on('error', () => {});
    child.stdout.pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { url: `http://127.0.0.1:${port}/acme/web.git`, close };
}
