import { serve, type ServerType } from '@hono/node-server';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Kysely } from 'kysely';
import { pino } from 'pino';
import type { Database } from '../src/db/database.ts';
import { createIntake, intakeServerOptions, webhookPath, type IntakeOptions } from '../src/intake.ts';

export const secret = 'f3a91c0d5b7e42689d1f00aa7c55e2b48e6d';
export const oldSecret = '07c1e9d86a2b4f35b8d4472fae90c613d5f1';

export interface OpenDoor {
  readonly port: number;
  readonly logged: string[];
  close(): Promise<void>;
}

/** The door behind a real HTTP server on a free port of the loopback. */
export async function openDoor(db: Kysely<Database>, more: Partial<IntakeOptions> = {}): Promise<OpenDoor> {
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });
  const intake = createIntake({ db, secrets: [secret], log, now: () => new Date(), ...more });
  const server: ServerType = serve({
    fetch: intake.fetch,
    port: 0,
    hostname: '127.0.0.1',
    serverOptions: intakeServerOptions,
  });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    logged,
    close: async () => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function sign(body: string | Uint8Array, key = secret): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}

export interface Post {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly event?: string;
  readonly guid?: string;
  readonly signature?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One delivery as GitHub would send it, unless told otherwise. */
export async function post(door: OpenDoor, request: Post): Promise<number> {
  const signature = request.signature === undefined ? sign(request.body) : request.signature;
  const response = await fetch(`http://127.0.0.1:${door.port}${webhookPath}`, {
    method: 'POST',
    body: request.body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': request.event ?? 'push',
      'x-github-delivery': request.guid ?? randomUUID(),
      ...(signature === null ? {} : { 'x-hub-signature-256': signature }),
      ...request.headers,
    },
  });
  await response.text();
  return response.status;
}

/** A connection that a test writes to byte by byte. `ended` is all that came back until it was closed. */
export interface RawConnection {
  readonly socket: Socket;
  readonly ended: Promise<string>;
}

export async function rawConnect(door: OpenDoor): Promise<RawConnection> {
  const socket = connect(door.port, '127.0.0.1');
  await once(socket, 'connect');
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => (text += chunk));
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  socket.on('error', () => {});
  socket.on('close', () => resolve(text));
  return { socket, ended };
}

export async function rawPost(door: OpenDoor, headers: readonly string[]): Promise<RawConnection> {
  const connection = await rawConnect(door);
  connection.socket.write(`${[`POST ${webhookPath} HTTP/1.1`, 'Host: door', ...headers].join('\r\n')}\r\n\r\n`);
  return connection;
}

/** Headers of a delivery whose signature has the right form and the wrong value. */
export const unsignedHeaders = [
  'Content-Type: application/json',
  'X-GitHub-Event: push',
  'X-GitHub-Delivery: 6b9f2c10-0000-4000-8000-000000000000',
  `X-Hub-Signature-256: sha256=${'0'.repeat(64)}`,
];
