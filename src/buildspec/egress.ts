import { lookup } from 'node:dns/promises';
import { rm } from 'node:fs/promises';
import {
  createServer,
  request as sendRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { makeOwnDirectory, temporaryParent } from './own-directory.ts';
import { isAmong, isPublicAddress } from './public-address.ts';

/**
 * The only way out of a sandbox: an HTTP proxy on a unix socket. It resolves names itself, refuses every address that is
 * not public, and dials the very address that it checked, so that a name cannot change in between (SEC-D-13).
 * Every build has a door of its own, so that none can take the connections of another.
 */
export interface Egress {
  open(): Promise<EgressDoor>;
  describe(): string;
  close(): Promise<void>;
}

export interface EgressDoor {
  /** To be bound into the sandboxes of one build. */
  readonly socket: string;
  /** Ends its connections. */
  close(): Promise<void>;
}

export interface EgressOptions {
  /** `host` or `*.domain`; empty: every public address. */
  readonly allowHosts: readonly string[];
  /** Hears of what was refused, for the log of the server. */
  readonly refused?: (host: string, why: string) => void;
  /** The resolver and the dialler of the machine when absent. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  readonly dial?: (address: string, port: number) => Socket;
  /** Addresses of this machine: what listens on a public one is not for its builds. */
  readonly own?: () => readonly string[];
}

/** Of one build. */
const maxConnections = 128;
const idleMs = 10 * 60_000;
/** Mail leaves no machine through a build. */
const refusedPorts = new Set([25, 465, 587]);

export async function startEgress(options: EgressOptions): Promise<Egress> {
  const directory = await makeOwnDirectory(temporaryParent('egress'));
  const doors = new Set<EgressDoor>();
  let count = 0;
  return {
    open: async () => {
      const opened = await openDoor(join(directory, `${(count += 1)}`), options);
      const door: EgressDoor = {
        socket: opened.socket,
        close: async () => {
          doors.delete(door);
          await opened.close();
        },
      };
      doors.add(door);
      return door;
    },
    describe: () =>
      options.allowHosts.length === 0
        ? 'Builds reach public addresses through a proxy, nothing else.'
        : `Builds reach ${options.allowHosts.join(', ')} through a proxy, nothing else.`,
    close: async () => {
      await Promise.all([...doors].map((door) => door.close()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function openDoor(socket: string, options: EgressOptions): Promise<EgressDoor> {
  const clients = new Set<Socket>();
  const way: Way = { ...options, isFull: () => clients.size > maxConnections };
  const server = createServer((request, response) => void forward(request, response, way));
  // Those between the two numbers are told why.
  server.maxConnections = 2 * maxConnections;
  server.on('connection', (client: Socket) => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
  });
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    void tunnel({ target: request.url ?? '', client, head }, way);
  });
  server.on('clientError', (_error, client) => client.destroy());
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
  return {
    socket,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const client of clients) client.destroy();
      await closed;
    },
  };
}

interface Way extends EgressOptions {
  readonly isFull: () => boolean;
}

type Checked =
  | { readonly ok: true; readonly host: string; readonly port: number; readonly address: string }
  | { readonly ok: false; readonly host: string; readonly why: string };

async function check(target: string, defaultPort: number, way: Way): Promise<Checked> {
  const match = /^\[?([A-Za-z0-9._:-]{1,253}?)\]?(?::(\d{1,5}))?$/.exec(target);
  const host = (match?.[1] ?? '').toLowerCase().replace(/\.$/, '');
  const port = Number(match?.[2] ?? defaultPort);
  const refuse = (why: string): Checked => ({ ok: false, host: host || target.slice(0, 100), why });
  if (host === '' || port < 1 || port > 65_535) return refuse('it is no host and port');
  if (way.isFull()) return refuse(`the build has more than ${maxConnections} connections open`);
  if (refusedPorts.has(port)) return refuse(`port ${port} is for mail`);
  if (!isAllowed(host, way.allowHosts)) return refuse('it is not among embedded.allowHosts');
  const addresses = isIP(host) === 0 ? await (way.resolve ?? resolveAll)(host).catch(() => []) : [host];
  const published = addresses.filter(isPublicAddress);
  const own = (way.own ?? ownAddresses)();
  const address = published.find((one) => !isAmong(one, own));
  if (address !== undefined) return { ok: true, host, port, address };
  if (published.length > 0) return refuse('it is this machine');
  return refuse(addresses.length === 0 ? 'its name has no address' : 'it is not a public address');
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}

/** Without a list everything is allowed; `*.example.org` covers names below example.org, not itself. */
function isAllowed(host: string, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  return patterns.some((pattern) => {
    const wanted = pattern.toLowerCase();
    return wanted.startsWith('*.') ? host.endsWith(wanted.slice(1)) : host === wanted;
  });
}

async function resolveAll(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
}

interface Tunnel {
  readonly target: string;
  readonly client: Duplex;
  readonly head: Buffer;
}

async function tunnel({ target, client, head }: Tunnel, way: Way): Promise<void> {
  client.on('error', () => client.destroy());
  const checked = await check(target, 443, way);
  if (!checked.ok) {
    way.refused?.(checked.host, checked.why);
    client.end(`HTTP/1.1 403 ${statusOf(checked)}\r\ncontent-type: text/plain\r\n\r\n${refusal(checked)}`);
    return;
  }
  if (client.destroyed) return;
  const upstream = dialled(checked, way);
  upstream.setTimeout(idleMs, () => upstream.destroy());
  upstream.once('connect', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) upstream.write(head);
    upstream.pipe(client);
    client.pipe(upstream);
  });
  upstream.on('error', () => client.destroy());
  upstream.on('close', () => client.destroy());
  client.on('close', () => upstream.destroy());
}

/** Plain HTTP through the proxy: `GET http://host/path`. */
async function forward(request: IncomingMessage, response: ServerResponse, way: Way): Promise<void> {
  const url = URL.parse(request.url ?? '');
  if (url?.protocol !== 'http:')
    return void response.writeHead(400).end('Penstock: only http URLs and CONNECT are proxied.\n');
  const checked = await check(url.host, 80, way);
  if (!checked.ok) {
    way.refused?.(checked.host, checked.why);
    return void response.writeHead(403, statusOf(checked), { 'content-type': 'text/plain' }).end(refusal(checked));
  }
  const upstream = sendRequest({
    method: request.method ?? 'GET',
    path: `${url.pathname}${url.search}`,
    headers: { ...passedOn(request.headers), host: url.host, connection: 'close' },
    createConnection: () => dialled(checked, way),
  });
  const noAnswer = (): void => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502, { connection: 'close' }).end('Penstock: the host did not answer.\n');
  };
  upstream.setTimeout(idleMs, () => upstream.destroy());
  upstream.on('response', (answer) => {
    const { statusCode = 0 } = answer;
    // Whatever else a host says as its status cannot be passed on, and would throw here.
    if (statusCode < 200 || statusCode > 599) return void upstream.destroy(new Error('no status'));
    response.writeHead(statusCode, passedOn(answer.headers));
    answer.on('error', noAnswer).pipe(response);
  });
  upstream.on('upgrade', (_answer, socket) => {
    socket.destroy();
    noAnswer();
  });
  upstream.on('error', noAnswer);
  response.on('close', () => upstream.destroy());
  request.on('error', () => upstream.destroy()).pipe(upstream);
}

/** Of this connection alone (RFC 9110, 7.6.1); the body is framed anew. A trailer that is announced would throw later. */
const ofOneConnection = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]);

function passedOn(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofOneConnection.has(name)));
}

function dialled(
  { address, port }: { readonly address: string; readonly port: number },
  options: EgressOptions,
): Socket {
  return options.dial?.(address, port) ?? connect({ host: address, port });
}

/** Many tools show this alone. */
function statusOf({ why }: { readonly why: string }): string {
  return `Refused by Penstock: ${why}`;
}

function refusal({ host, why }: { readonly host: string; readonly why: string }): string {
  return `Penstock: ${host} is refused, because ${why}.\n`;
}
