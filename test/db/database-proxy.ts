import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface DatabaseProxy {
  /** The same database, through the proxy. */
  readonly url: string;
  /** Passes nothing on any more in either direction, and says nothing about it. */
  blackHole(): void;
  /** Passes the next COMMIT on and then breaks the connection instead of giving the answer. */
  swallowNextCommit(): void;
  close(): Promise<void>;
}

/** Between a client and a Postgres server, on a unix socket of its own, with the faults that networks have. */
export async function proxyTo(url: string): Promise<DatabaseProxy> {
  const home = mkdtempSync(join(tmpdir(), 'penstock-proxy-'));
  const sockets = new Set<Socket>();
  let dead = false;
  let swallow = false;
  const server = createServer((client) => {
    const upstream = connectUpstream(url);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    let swallowing = false;
    client.on('data', (chunk) => {
      if (dead) return;
      if (swallow && /commit/i.test(chunk.toString('latin1'))) {
        swallow = false;
        swallowing = true;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (dead) return;
      if (swallowing) client.destroy();
      else client.write(chunk);
    });
  });
  server.listen(join(home, '.s.PGSQL.5432'));
  await once(server, 'listening');
  const through = new URL(url);
  through.host = 'localhost';
  through.port = '';
  through.searchParams.set('host', home);
  return {
    url: through.href,
    blackHole: () => {
      dead = true;
    },
    swallowNextCommit: () => {
      swallow = true;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function connectUpstream(url: string): Socket {
  const { hostname, port, searchParams } = new URL(url);
  const directory = searchParams.get('host');
  if (directory?.startsWith('/')) return connect(join(directory, `.s.PGSQL.${port || 5432}`));
  return connect(Number(port || 5432), directory ?? hostname);
}
