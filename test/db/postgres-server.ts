import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type PostgresFound =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'binaries'; readonly directory: string; readonly user: 'postgres' | 'self' }
  | { readonly kind: 'none'; readonly why: string };

const installed = '/usr/lib/postgresql';

/** Where a real server for tests can come from: TEST_DATABASE_URL, else the newest installed binaries. */
export function findPostgres(): PostgresFound {
  const url = process.env['TEST_DATABASE_URL'];
  if (url) return { kind: 'url', url };
  const directory = newestBinaries();
  if (directory === undefined) return { kind: 'none', why: `found under ${installed}` };
  // initdb refuses to work as root.
  if (process.getuid?.() !== 0) return { kind: 'binaries', directory, user: 'self' };
  const known = spawnSync('id', ['-u', 'postgres']).status === 0;
  return known ? { kind: 'binaries', directory, user: 'postgres' } : { kind: 'none', why: 'user: no account postgres' };
}

function newestBinaries(): string | undefined {
  if (!existsSync(installed)) return undefined;
  const versions = readdirSync(installed).toSorted((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(installed, version, 'bin')).find((bin) => existsSync(join(bin, 'postgres')));
}

export interface PostgresServer {
  /** Of the maintenance database; its role may create databases. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A throw-away server on a unix socket in a temporary directory. It also ends when this process is killed. */
export async function startPostgres(found: PostgresFound & { kind: 'binaries' }): Promise<PostgresServer> {
  const home = mkdtempSync(join(tmpdir(), 'penstock-pg-'));
  if (found.user === 'postgres') chownSync(home, accountId('-u'), accountId('-g'));
  const child = spawnAs(found.user, serverScript(found.directory, home));
  child.stderr.setEncoding('utf8');
  let log = '';
  child.stderr.on('data', (text: string) => (log += text));
  child.stdout.resume();
  const url = `postgres://postgres@localhost/postgres?host=${home}`;
  async function stop(): Promise<void> {
    const ended = child.exitCode === null ? once(child, 'exit') : undefined;
    child.stdin.end();
    await ended;
    rmSync(home, { recursive: true, force: true });
  }
  for (let tries = 0; tries < 600; tries += 1) {
    if (child.exitCode !== null) throw new Error(`The Postgres server for the tests did not start:\n${log}`);
    if (spawnSync(join(found.directory, 'pg_isready'), ['-q', '-h', home]).status === 0) return { url, stop };
    await sleep(50);
  }
  await stop();
  throw new Error(`The Postgres server for the tests was not ready within 30 s:\n${log}`);
}

// The shell waits for the end of its standard input, which comes also when the test runner is killed with SIGKILL.
function serverScript(bin: string, home: string): string {
  const settings = [
    'fsync=off',
    'full_page_writes=off',
    'max_connections=200',
    'shared_buffers=64MB',
    'listen_addresses=',
  ];
  return [
    `'${bin}/initdb' -D '${home}/data' -U postgres -A trust -E UTF8 --locale=C --no-sync >&2 || exit 1`,
    `'${bin}/postgres' -D '${home}/data' -k '${home}' ${settings.map((s) => `-c ${s}`).join(' ')} >&2 </dev/null &`,
    'cat >/dev/null',
    'kill -QUIT $! ; wait $! ; true',
    `rm -rf '${home}'`,
  ].join('\n');
}

function spawnAs(user: 'postgres' | 'self', script: string) {
  const words = user === 'self' ? ['sh', '-c', script] : ['su', 'postgres', '-s', '/bin/sh', '-c', script];
  return spawn('env', words, { cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] });
}

function accountId(flag: '-u' | '-g'): number {
  return Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
}
