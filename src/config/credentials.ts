import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Settings } from './settings.ts';

export type PrivateKeyRead =
  | { readonly ok: true; readonly key: { readonly privateKey: string; readonly privateKeyPath?: string } }
  | { readonly ok: false; readonly problem: string };

const where =
  'Generate one under "Private keys" on your App\'s page (GitHub Settings > Developer settings > GitHub Apps)';

/** The key itself (with `\n` escapes or in base64, as hosting services want it), or the path of its file. */
export function readPrivateKey(text: string | undefined, path: string | undefined): PrivateKeyRead {
  if (text !== undefined && path !== undefined) {
    return { ok: false, problem: 'PRIVATE_KEY and PRIVATE_KEY_PATH are both set. Keep one of them.' };
  }
  if (path !== undefined) return readPrivateKeyFile(path);
  if (text === undefined) {
    return { ok: false, problem: `PRIVATE_KEY is not set. ${where}, and set PRIVATE_KEY_PATH to its file.` };
  }
  const key = asPem(text);
  if (isRsaKey(key)) return { ok: true, key: { privateKey: key } };
  return { ok: false, problem: `PRIVATE_KEY is not an RSA private key in PEM form. ${where}, and set it whole.` };
}

function readPrivateKeyFile(path: string): PrivateKeyRead {
  try {
    const key = asPem(readFileSync(path, 'utf8'));
    if (isRsaKey(key)) return { ok: true, key: { privateKey: key, privateKeyPath: resolve(path) } };
    return { ok: false, problem: `PRIVATE_KEY_PATH: ${path} holds no RSA private key in PEM form. ${where}.` };
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return {
      ok: false,
      problem: `PRIVATE_KEY_PATH: ${path} cannot be read (${why}). Correct the path or its permissions.`,
    };
  }
}

function asPem(text: string): string {
  const lines = text
    .trim()
    .replaceAll(String.raw`\n`, '\n')
    .replaceAll('\r\n', '\n');
  if (lines.includes('-----BEGIN')) return `${lines}\n`;
  const decoded = Buffer.from(lines, 'base64').toString('utf8').trim();
  return decoded.includes('-----BEGIN') ? `${decoded}\n` : lines;
}

function isRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

const placeholder = /development|example|change[-_]?me|replace[-_]?me|your[-_ ]|placeholder|xxxx/i;

/** Anybody who knows the secret can approve: one that can be guessed is refused (SEC-E-01). */
export function webhookSecretProblem(name: string, secret: string | undefined): string | null {
  const mend = "Make one with `openssl rand -hex 32`, and set the same on your App's page under Webhook secret.";
  if (secret === undefined) return `${name} is not set. ${mend}`;
  if (placeholder.test(secret)) return `${name} is a value that everybody knows. ${mend}`;
  if (secret.length < 32) return `${name} has ${secret.length} characters; at least 32 are needed. ${mend}`;
  if (new Set(secret).size < 8) return `${name} is easy to guess. ${mend}`;
  return null;
}

/**
 * What the GitHub client asks for the key: a file is read anew, because the key may have been rotated (SEC-T-04); the
 * key from the start holds while the file cannot be read.
 */
export function privateKeyOf(settings: Pick<Settings, 'privateKey' | 'privateKeyPath'>): string | (() => string) {
  const { privateKey, privateKeyPath } = settings;
  if (privateKeyPath === undefined) return privateKey;
  return () => {
    const read = readPrivateKeyFile(privateKeyPath);
    return read.ok ? read.key.privateKey : privateKey;
  };
}
