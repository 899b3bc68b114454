import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { readEnvironment, type EnvironmentRead } from '../config/env.ts';
import type { Settings } from '../config/settings.ts';
import { UserError } from '../errors.ts';
import type { CliIo } from './command.ts';

type Environment = CliIo['env'];

/** What `/setup` saved in `<home>/app.env` fills in what the environment leaves open. */
export function withSavedApp(env: Environment): Environment {
  const saved = readSaved(join(homeOf(env), 'app.env'));
  const own = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  // One's own key must not meet the saved path: two sources of one key are an error.
  if (own['PRIVATE_KEY'] !== undefined || own['PRIVATE_KEY_PATH'] !== undefined) delete saved['PRIVATE_KEY_PATH'];
  return { ...saved, ...own };
}

export function homeOf(env: Environment): string {
  return resolve(env['PENSTOCK_HOME']?.trim() || '.penstock');
}

export function settingsError(read: Extract<EnvironmentRead, { ok: false }>): UserError {
  return new UserError(
    ['Penstock cannot start as it is configured:', ...read.problems.map((text) => `- ${text}`)].join('\n'),
  );
}

/** The settings as they will be once the App is registered: everything but its credentials is checked already. */
export function settingsWithoutApp(env: Environment): Settings {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const read = readEnvironment({
    ...env,
    APP_ID: '1',
    PRIVATE_KEY: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    WEBHOOK_SECRET: randomBytes(32).toString('hex'),
  });
  if (read.ok) return read.settings;
  throw settingsError(read);
}

function readSaved(file: string): Record<string, string> {
  try {
    return parseEnv(readFileSync(file, 'utf8')) as Record<string, string>;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw new UserError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}. Correct its permissions.`,
    );
  }
}
