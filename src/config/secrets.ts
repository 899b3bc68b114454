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
export async function readSecrets(rules: readonly SecretRule[], env: Environment): Promise<SecretsRead> {
  const read = (await Promise.all(rules.map((rule) => readSecret(rule, env)))).map(longEnough);
  const problems = read.filter((result) => typeof result === 'string');
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, secrets: read.filter((result) => typeof result !== 'string') };
}

export function secretsOf(secrets: readonly Secret[], owner: string, name: string): readonly Secret[] {
  return secrets.filter((secret) => secret.repositories.some((pattern) => covers(pattern, owner, name)));
}

/** Bytes; a shorter one could be masked only by ruining every log that happens to hold it (SEC-D-09). */
const shortestSecret = 6;

function longEnough(read: Secret | string): Secret | string {
  if (typeof read === 'string' || Buffer.byteLength(read.value) >= shortestSecret) return read;
  return `secrets.${read.name}: the value has fewer than ${shortestSecret} bytes, which cannot be masked in logs. Use a longer one, or write it as a plain variable.`;
}

async function readSecret({ name, source, repositories }: SecretRule, env: Environment): Promise<Secret | string> {
  const read = await readValue(`secrets.${name}`, source, env);
  return read.ok ? { name, value: read.value, repositories } : read.problem;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A value that penstock.server.yml names by where it is. `what` is its place in that file. */
export async function readValue(
  what: string,
  source: SecretRule['source'],
  env: Environment,
): Promise<{ readonly ok: true; readonly value: string } | { readonly ok: false; readonly problem: string }> {
  const problem = (text: string) => ({ ok: false, problem: `${what}: ${text}` }) as const;
  if ('fromEnv' in source) {
    const value = env[source.fromEnv];
    if (value) return { ok: true, value };
    return problem(`the environment variable ${source.fromEnv} is not set. Set it, or remove the secret.`);
  }
  try {
    const value = (await readFile(source.fromFile, 'utf8')).replace(/\r?\n$/, '');
    if (value) return { ok: true, value };
    return problem(`the file ${source.fromFile} is empty. Put the value into it, or remove the secret.`);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return problem(`the file ${source.fromFile} cannot be read (${why}). Correct the path or its permissions.`);
  }
}
