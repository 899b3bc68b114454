import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { defaultServerConfig, readServerConfig } from './server.ts';
import type { ServerConfigRead } from './server-types.ts';
import type { Settings } from './settings.ts';

/** penstock.server.yml, or the defaults when there is none. A file that PENSTOCK_CONFIG names has to exist. */
export async function loadServerConfig(
  settings: Pick<Settings, 'configFile' | 'configFileNamed'>,
): Promise<ServerConfigRead> {
  const { configFile, configFileNamed } = settings;
  try {
    return readServerConfig(await readFile(configFile, 'utf8'), configFile);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    if (code === 'ENOENT' && !configFileNamed) return { ok: true, config: defaultServerConfig };
    const message = `The server configuration cannot be read (${code}).`;
    const mend = configFileNamed ? 'Correct PENSTOCK_CONFIG, or make the file.' : 'Correct its permissions.';
    return {
      ok: false,
      problems: [{ severity: 'error', file: configFile, line: 1, column: 1, path: '', message, mend }],
    };
  }
}

/** The file, or that there is none. */
export function serverConfigSource({ configFile }: Pick<Settings, 'configFile'>): string {
  return existsSync(configFile) ? configFile : 'no penstock.server.yml, so the defaults';
}
