import { ApiError } from './api-error.ts';
import type { Door } from './door.ts';
import { answer, listen, type Exchange, type Listening } from './http-server.ts';
import { serveJson } from './json-door.ts';
import { serveS3 } from './s3/s3-door.ts';
import { serveWebhook, webhookPrefix } from './webhook-door.ts';
import { createThrottle, type Rate } from './throttle.ts';

export interface ServeOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Nobody has to sign. Refused unless `host` is a loopback address. */
  readonly anonymous?: boolean;
  /** Requests of one access key; generous, because it is there against loops that run wild. */
  readonly rate?: Rate;
}

const usualRate: Rate = { perSecond: 1000, burst: 2000 };

/** Serves the CodePipeline API, and the object store that its workers use, on one port. */
export async function serveDoor(door: Door, options: ServeOptions): Promise<Listening> {
  const anonymous = options.anonymous === true;
  if (anonymous && !isLoopback(options.host)) {
    throw new Error(`a door without signatures listens on loopback only, not on ${options.host}`);
  }
  const both = { anonymous, throttle: createThrottle(options.rate ?? usualRate) };
  return listen(async (exchange) => {
    if (anonymous && !isLoopback(hostName(exchange))) return refuseHost(exchange);
    if (exchange.target.startsWith(webhookPrefix)) return serveWebhook(door, both.throttle, exchange);
    return isJson(exchange) ? serveJson(door, both, exchange) : serveS3(door, both, exchange);
  }, options);
}

/** The JSON protocol is a POST to the root; the object store knows no such request. */
function isJson({ request, target }: Exchange): boolean {
  return request.headers['x-amz-target'] !== undefined || (request.method === 'POST' && target === '/');
}

/** A page in a browser can make its own name point here, but it cannot make the browser send another name. */
function refuseHost(exchange: Exchange): void {
  const error = new ApiError('AccessDeniedException', 'Without signatures this door answers to loopback names only.');
  answer(
    exchange,
    403,
    { 'content-type': 'application/json' },
    JSON.stringify({ __type: error.code, message: error.message }),
  );
}

function hostName({ request }: Exchange): string {
  return (request.headers.host ?? '').replace(/:\d+$/, '');
}

export function isLoopback(host: string): boolean {
  return /^(?:(?:[a-z0-9.-]+\.)?localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}
