import { createHash, createHmac } from 'node:crypto';
import type { Credentials } from './door-bench.ts';

interface Signing extends Credentials {
  readonly service?: string;
  readonly at?: Date;
  readonly sessionToken?: string;
  /** Signs another payload than is sent. */
  readonly payloadHash?: string;
}

/** Headers with a SigV4 signature, written down here once more so that the door is not judged by its own code. */
export function signedHeaders(
  url: string,
  request: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body: string },
  { accessKeyId, secretAccessKey, service = 'codepipeline', at = new Date(), ...rest }: Signing,
): Record<string, string> {
  const { host, pathname, search } = new URL(url);
  const stamp = at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const payloadHash = rest.payloadHash ?? createHash('sha256').update(request.body).digest('hex');
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-date': stamp,
    ...(service === 's3' ? { 'x-amz-content-sha256': payloadHash } : {}),
    ...(rest.sessionToken === undefined ? {} : { 'x-amz-security-token': rest.sessionToken }),
  };
  const all = Object.entries({ ...headers, host }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = all.map(([name]) => name).join(';');
  const parts = search.slice(1).split('&');
  // A name without a value is signed as an empty one.
  const query = parts
    .map((part) => (part === '' || part.includes('=') ? part : `${part}=`))
    .toSorted()
    .join('&');
  const lines = all.map(([name, value]) => `${name}:${value.trim()}\n`).join('');
  const canonical = [request.method, pathname, query, lines, names, payloadHash].join('\n');
  const { scope, signature } = signed(canonical, { stamp, service, secretAccessKey });
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}

function signed(
  canonical: string,
  given: { readonly stamp: string; readonly service: string; readonly secretAccessKey: string },
): { readonly scope: string; readonly signature: string } {
  const { stamp, service, secretAccessKey } = given;
  const scope = `${stamp.slice(0, 8)}/eu-west-1/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', stamp, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [stamp.slice(0, 8), 'eu-west-1', service, 'aws4_request'].reduce<Buffer | string>(
    (parent, part) => createHmac('sha256', parent).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  return { scope, signature: createHmac('sha256', key).update(text).digest('hex') };
}

/** The address with the signature in its query. `headers` have to be sent with it; `payloadHash` is the body's. */
export function presignedUrl(
  address: string,
  { method, headers = {}, expires = 60 }: Presigning,
  { accessKeyId, secretAccessKey, service = 'codepipeline', at = new Date(), ...rest }: Signing,
): string {
  const { host, pathname } = new URL(address);
  const stamp = at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const all = Object.entries({ ...headers, host }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = all.map(([name]) => name).join(';');
  const scope = `${stamp.slice(0, 8)}/eu-west-1/${service}/aws4_request`;
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent(`${accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${stamp}`,
    `X-Amz-Expires=${expires}`,
    `X-Amz-SignedHeaders=${encodeURIComponent(names)}`,
  ].join('&');
  const lines = all.map(([name, value]) => `${name}:${value}\n`).join('');
  const canonical = [method, pathname, query, lines, names, rest.payloadHash ?? 'UNSIGNED-PAYLOAD'].join('\n');
  const { signature } = signed(canonical, { stamp, service, secretAccessKey });
  return `${address}?${query}&X-Amz-Signature=${signature}`;
}

interface Presigning {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly expires?: number;
}

export interface Raw {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** `Code: message` of an error. */
  readonly error: string;
}

/** One signed request of the JSON protocol, with whatever body. */
export async function rawCall(
  url: string,
  operation: string,
  body: string,
  signing: Signing,
  headers: Readonly<Record<string, string>> = {},
): Promise<Raw> {
  const sent = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `CodePipeline_20150709.${operation}`,
    ...headers,
  };
  return send(`${url}/`, body, signedHeaders(`${url}/`, { method: 'POST', headers: sent, body }, signing));
}

export async function send(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<Raw> {
  const response = await fetch(url, { method: 'POST', body, headers });
  const text = await response.text();
  const parsed = text.startsWith('{') ? (JSON.parse(text) as { __type?: string; message?: string }) : {};
  return { status: response.status, headers: response.headers, text, error: `${parsed.__type}: ${parsed.message}` };
}
