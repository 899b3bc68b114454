import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { CacheSettings } from '../buildspec/buildspec.ts';
import { createFileMatcher } from '../buildspec/file-globs.ts';
import { listFiles } from './zip.ts';

/** Lets a shell of the build put in variables and what commands print. Throws a UserError that says what went wrong. */
export type Expand = (text: string) => Promise<string>;

/** Keys of a cache may hold variables, commands and `$(codebuild-hash-files pattern…)`. */
export async function evaluateKeys(cache: CacheSettings, source: string, expand: Expand): Promise<CacheSettings> {
  const key = cache.key === undefined ? undefined : await evaluateKey(cache.key, source, expand);
  const fallbackKeys: string[] = [];
  for (const fallback of cache.fallbackKeys) fallbackKeys.push(await evaluateKey(fallback, source, expand));
  return { ...cache, fallbackKeys, ...(key === undefined ? {} : { key }) };
}

const hashCall = /\$\(\s*codebuild-hash-files\s+([^()$`;|&<>]+)\)/g;

async function evaluateKey(key: string, source: string, expand: Expand): Promise<string> {
  let plain = key.split('\n')[0] ?? '';
  for (const [call, patterns = ''] of plain.matchAll(hashCall))
    plain = plain.replace(call, await hashOfFiles(source, patterns));
  return /[$`\\]/.test(plain) ? expand(plain) : plain;
}

/** One digest over names and contents of the files that match, in order. */
async function hashOfFiles(directory: string, patterns: string): Promise<string> {
  const words = patterns
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/^(['"])(.*)\1$/, '$2'));
  const matches = createFileMatcher(words);
  const hash = createHash('sha256');
  for (const { path } of await listFiles(directory)) {
    if (!matches(path)) continue;
    const content = createHash('sha256');
    await pipeline(createReadStream(join(directory, path)), content);
    hash.update(`${path}\0${content.digest('hex')}\n`);
  }
  return hash.digest('hex');
}
