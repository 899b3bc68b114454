import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UnsafeArchive } from './archive-names.ts';
import { unzip, unzipLimits, type UnzipLimits } from './unzip.ts';

export interface UnzipRequest {
  readonly file: string;
  readonly directory: string;
  readonly limits: UnzipLimits;
}

export type UnzipReply =
  | { readonly kind: 'done' }
  | { readonly kind: 'unsafe'; readonly message: string }
  /** Not the fault of the archive: the disk is full, for example. */
  | { readonly kind: 'broken'; readonly message: string };

const program = fileURLToPath(new URL(`./unzip-process${extname(import.meta.filename)}`, import.meta.url));
const heapMebibytes = 256;
const dataBytes = 1024 ** 3;
/** The process counts the time itself; this is for one that no longer counts. */
const graceMs = 1_000;

/** Deflate packs at most 1,032 to one, so that no archive of this size can hurt, and a process would cost more. */
const harmlessBytes = 64 * 1024;

/**
 * `unzip` in a process of its own with limits of memory and time, so that no archive takes this one with it (SEC-D-16),
 * and so that another core does the work. Throws UnsafeArchive.
 */
export async function unzipApart(file: string, directory: string, limits = unzipLimits): Promise<void> {
  const found = await stat(file);
  if (found.isFile() && found.size <= harmlessBytes) return unzip({ file }, directory, limits);
  const request: UnzipRequest = { file, directory, limits };
  const reply = await ask(request, [`--max-old-space-size=${heapMebibytes}`, program, JSON.stringify(request)]);
  if (reply.kind === 'unsafe') throw new UnsafeArchive(reply.message);
  if (reply.kind === 'broken') throw new Error(`An archive could not be unpacked: ${reply.message}`);
}

function ask({ limits }: UnzipRequest, words: readonly string[]): Promise<UnzipReply> {
  const [command = process.execPath, ...args] = [...limitWords(), process.execPath, ...words];
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), Math.max(0, limits.deadlineMs) + graceMs);
    let text = '';
    child.stdin.on('error', () => {});
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text = (text + chunk).slice(0, 8_192)));
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      resolve(readReply(text));
    });
  });
}

/** A process that ends without an answer was ended by its limits. */
function readReply(text: string): UnzipReply {
  if (text === '') return { kind: 'unsafe', message: 'The archive took more memory or time to unpack than it may.' };
  return JSON.parse(text) as UnzipReply;
}

/** Without prlimit (util-linux) the heap and the time are limited all the same. */
function limitWords(): readonly string[] {
  const prlimit = ['/usr/bin/prlimit', '/bin/prlimit'].find((path) => existsSync(path));
  return prlimit === undefined ? [] : [prlimit, `--data=${dataBytes}`, '--core=0', '--nofile=256', '--'];
}
