/** Git's plumbing, one process for each call. Nothing here reads the machine's git configuration. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';

export const zeroSha = '0'.repeat(40);

export function gitEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', HOME: '/nonexistent' };
}

async function read(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What git printed; a non-zero exit is an error unless it is listed in `allowed`. */
export async function git(
  path: string,
  args: readonly string[],
  options: { input?: string | Uint8Array; env?: NodeJS.ProcessEnv; allowed?: readonly number[] } = {},
): Promise<{ readonly code: number; readonly out: Buffer }> {
  const child = spawn('git', [`--git-dir=${path}`, ...args], { env: { ...gitEnvironment(), ...options.env } });
  const closed = once(child, 'close');
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [out, problem] = await Promise.all([read(child.stdout), read(child.stderr)]);
  const [code] = (await closed) as [number | null];
  if (code !== 0 && !(options.allowed ?? []).includes(code ?? -1)) {
    throw new Error(`git ${args.join(' ')} in ${path} ended with ${code}: ${problem.toString()}`);
  }
  return { code: code ?? -1, out };
}

/**
 * What `git init --bare` leaves behind, without the process. Protocol version 0 refuses a fetch by SHA unless the
 * server says otherwise; GitHub does.
 */
export async function createBare(path: string, defaultBranch: string): Promise<void> {
  await Promise.all([mkdir(`${path}/objects`, { recursive: true }), mkdir(`${path}/refs/heads`, { recursive: true })]);
  const core = '[core]\n\trepositoryformatversion = 0\n\tbare = true\n';
  const served = '[uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n[gc]\n\tauto = 0\n';
  await writeFile(`${path}/config`, `${core}${served}`);
  await writeFile(`${path}/HEAD`, `ref: refs/heads/${defaultBranch}\n`);
}

/** What `git update-ref` writes for a ref that is not packed; nothing here packs refs. */
export async function writeLooseRef(path: string, ref: string, sha: string): Promise<void> {
  const file = `${path}/${ref}`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${sha}\n`);
}
