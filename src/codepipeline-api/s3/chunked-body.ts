import { createHmac } from 'node:crypto';
import { sameText, sha256, signingKey, type Claim } from '../sigv4.ts';
import { S3Error } from './s3-error.ts';

/**
 * Decodes `aws-chunked`: `size[;chunk-signature=…]\r\n data \r\n … 0\r\n trailers \r\n`. Signed chunks are checked one by
 * one before they are handed on, each against the signature of the one before.
 */
export interface ChunkedOptions {
  /** `trailers`: those have a signature of their own behind them. */
  readonly signing?: { readonly claim: Claim; readonly secretAccessKey: string; readonly trailers: boolean };
  /** Called with the trailers, lower case, once the last chunk came. */
  readonly trailers: (found: ReadonlyMap<string, string>) => void;
}

const longestLine = 8192;
const mostTrailers = 20;
/** A signed chunk is held until its signature was checked. */
const largestChunk = 32 * 1024 * 1024;

export async function* decodeChunks(source: AsyncIterable<Buffer>, options: ChunkedOptions): AsyncGenerator<Buffer> {
  const input = reader(source);
  const chain = options.signing && signatureChain(options.signing);
  for (;;) {
    const [size = '', ...extensions] = (await input.line()).split(';');
    const length = /^[0-9a-fA-F]{1,8}$/.test(size) ? Number.parseInt(size, 16) : Number.NaN;
    if (Number.isNaN(length) || length > largestChunk) throw malformed('a chunk has no legal size');
    const signature = extensions.find((one) => one.startsWith('chunk-signature='))?.slice('chunk-signature='.length);
    const data = await input.take(length);
    if (chain && !chain.accepts(data, signature ?? '')) {
      throw new S3Error('SignatureDoesNotMatch', 'The signature of a chunk does not match.', 403);
    }
    if (length === 0) break;
    if ((await input.line()) !== '') throw malformed('a chunk is longer than its size');
    yield data;
  }
  const { signature, ...trailers } = await readTrailers(input);
  if (chain && options.signing?.trailers && !chain.acceptsTrailers(trailers.text, signature)) {
    throw new S3Error('SignatureDoesNotMatch', 'The signature of the trailers does not match.', 403);
  }
  options.trailers(trailers.found);
}

interface Trailers {
  readonly found: ReadonlyMap<string, string>;
  /** The lines that the signature is over. */
  readonly text: string;
  readonly signature: string;
}

const trailerSignature = 'x-amz-trailer-signature';

async function readTrailers(input: Reader): Promise<Trailers> {
  const found = new Map<string, string>();
  for (let line = await input.line(true); line !== ''; line = await input.line(true)) {
    const at = line.indexOf(':');
    if (at > 0) found.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim());
    if (found.size > mostTrailers) throw malformed('it has too many trailers');
  }
  const signature = found.get(trailerSignature) ?? '';
  found.delete(trailerSignature);
  return { found, signature, text: [...found].map(([name, value]) => `${name}:${value}\n`).join('') };
}

interface Reader {
  /** Without its end. `orEnd`: the end of the body counts as an empty line. */
  line(orEnd?: boolean): Promise<string>;
  take(length: number): Promise<Buffer>;
}

function reader(source: AsyncIterable<Buffer>): Reader {
  const parts = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const { done, value } = await parts.next();
    if (done === true) return false;
    held = held.length === 0 ? value : Buffer.concat([held, value]);
    return true;
  };
  return {
    async line(orEnd = false) {
      let at = held.indexOf('\r\n');
      while (at < 0) {
        if (held.length > longestLine) throw malformed('a line is too long');
        if (!(await more())) {
          if (orEnd && held.length === 0) return '';
          throw malformed('it ends too early');
        }
        at = held.indexOf('\r\n');
      }
      const line = held.subarray(0, at).toString('latin1');
      held = held.subarray(at + 2);
      return line;
    },
    async take(length) {
      const taken: Buffer[] = [];
      let missing = length;
      while (missing > 0) {
        if (held.length === 0 && !(await more())) throw malformed('it ends too early');
        const part = held.subarray(0, missing);
        held = held.subarray(part.length);
        missing -= part.length;
        taken.push(part);
      }
      return Buffer.concat(taken);
    },
  };
}

function signatureChain({ claim, secretAccessKey }: NonNullable<ChunkedOptions['signing']>) {
  const key = signingKey(secretAccessKey, claim);
  const scope = `${claim.date}/${claim.region}/${claim.service}/aws4_request`;
  const empty = sha256('');
  let before = claim.signature;
  const accepts = (kind: string, digests: readonly string[], signature: string): boolean => {
    const text = [`AWS4-HMAC-SHA256-${kind}`, claim.at, scope, before, ...digests].join('\n');
    before = createHmac('sha256', key).update(text).digest('hex');
    return sameText(before, signature);
  };
  return {
    accepts: (data: Buffer, signature: string) => accepts('PAYLOAD', [empty, sha256(data)], signature),
    acceptsTrailers: (text: string, signature: string) => accepts('TRAILER', [sha256(text)], signature),
  };
}

function malformed(why: string): S3Error {
  return new S3Error('IncompleteBody', `The chunked body is not well formed: ${why}.`, 400);
}
