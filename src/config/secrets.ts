import { readFile } from 'node:fs/promises';
import { covers } from './server.ts';
import type { RepositoryPattern, SecretRule } from './server-types.ts';

/** A value that pipelines of some repositories may ask for. Never logged; always masked in build output. */
export interface Secret {
  readonly name: string;
  readonly value: string;
  readonly repositories: readonly RepositoryPattern[];
}

export type SecretsRead =
  | { readonly ok: true; readonly secrets: readonly Secret[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Fetches the values that penstock.server.yml names. A name without a value is a problem, not an empty secret. */
export async function readSecrets(
  rules: readonly SecretRule[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<SecretsRead> {
  const read = await Promise.all(rules.map((rule) => readSecret(rule, env)));
  const problems = read.filter((result) => typeof result === 'string');
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, secrets: read.filter((result) => typeof result !== 'string') };
}

export function secretsOf(secrets: readonly Secret[], owner: string, name: string): readonly Secret[] {
  return secrets.filter((secret) => secret.repositories.some((pattern) => covers(pattern, owner, name)));
}

async function readSecret(
  rule: SecretRule,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Secret | string> {
  const { name, source, repositories } = rule;
  if ('fromEnv' in source) {
    const value = env[source.fromEnv];
    if (value) return { name, value, repositories };
    return `secrets.${name}: the environment variable ${source.fromEnv} is not set. Set it, or remove the secret.`;
  }
  try {
    const value = (await readFile(source.fromFile, 'utf8')).replace(/\r?\n$/, '');
    if (value) return { name, value, repositories };
    return `secrets.${name}: the file ${source.fromFile} is empty. Put the value into it, or remove the secret.`;
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return `secrets.${name}: the file ${source.fromFile} cannot be read (${why}). Correct the path or its permissions.`;
  }
}
