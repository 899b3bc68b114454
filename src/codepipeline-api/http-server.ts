import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError } from './api-error.ts';

/** One request as the doors see it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Path and query exactly as sent. */
  readonly target: string;
  /** Tells a client that waits with `Expect: 100-continue` to send its body; to be called before reading it. */
  readonly proceed: () => void;
}

export interface Listening {
  /** `http://host:port` */
  readonly url: string;
  stop(): Promise<void>;
}

/** Uploads of hundreds of megabytes have to come through; headers and idle connections do not get that time. */
const limits = { requestTimeout: 600_000, headersTimeout: 15_000, keepAliveTimeout: 20_000, maxHeaderSize: 32_768 };

export async function listen(
  handle: (exchange: Exchange) => Promise<void>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listening> {
  const take = (request: IncomingMessage, response: ServerResponse, waits: boolean): void => {
    let proceeded = !waits;
    const proceed = (): void => {
      if (!proceeded) response.writeContinue();
      proceeded = true;
    };
    const requestId = randomUUID();
    response.on('error', () => {});
    handle({ request, response, requestId, target: request.url ?? '/', proceed }).catch(() => response.destroy());
  };
  const server = createServer(limits, (request, response) => take(request, response, false));
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => take(request, response, true));
  server.maxConnections = 1024;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const shown = host.includes(':') ? `[${host}]` : host;
  return { url: `http://${shown}:${(server.address() as AddressInfo).port}`, stop: () => close(server) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), 2_000);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Throws RequestEntityTooLargeException; what comes after the limit is not read. */
export async function readBody({ request, proceed }: Exchange, most: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLarge(most);
  proceed();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw tooLarge(most);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(most: number): ApiError {
  return new ApiError('RequestEntityTooLargeException', `The body is larger than ${most} bytes.`, 413);
}

/** Ends an exchange. A body that was not read to its end would be taken for the next request, so its connection ends. */
export function answer(
  { request, response }: Exchange,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer = '',
): void {
  if (response.headersSent) return void response.destroy();
  const unread = !request.complete;
  response.writeHead(status, {
    ...headers,
    'content-length': Buffer.byteLength(body),
    ...(unread ? { connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
  if (unread) response.once('finish', () => setTimeout(() => request.destroy(), 500).unref());
}
