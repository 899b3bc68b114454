import type { StoredObject } from '../../providers/stored-object.ts';
import { S3Error } from './s3-error.ts';
import { headerOf, type S3Request } from './s3-request.ts';

/** What a client says of an object when it puts it, and gets back when it reads it. */

const kept = ['content-type', 'cache-control', 'content-disposition', 'content-language', 'expires'];
/** S3's bound: names and values together. */
const mostMetadataBytes = 2048;
const defaultType = 'binary/octet-stream';

export function headersToKeep(request: S3Request): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const name of kept) {
    const value = headerOf(request, name);
    if (value !== undefined) headers[name] = value;
  }
  // `aws-chunked` tells how the bytes travel, not what they are.
  const encodings = (headerOf(request, 'content-encoding') ?? '').split(',').map((one) => one.trim());
  const encoding = encodings.filter((one) => one !== '' && one !== 'aws-chunked').join(',');
  if (encoding !== '') headers['content-encoding'] = encoding;
  return { ...headers, ...metadataOf(request) };
}

function metadataOf({ exchange }: S3Request): Readonly<Record<string, string>> {
  const found = Object.entries(exchange.request.headers).flatMap(([name, value]) =>
    name.startsWith('x-amz-meta-') ? [[name, String(value)] as const] : [],
  );
  const bytes = found.reduce((sum, [name, value]) => sum + name.length - 'x-amz-meta-'.length + value.length, 0);
  if (bytes <= mostMetadataBytes) return Object.fromEntries(found);
  const message = `Your metadata headers exceed the maximum allowed metadata size of ${mostMetadataBytes} bytes`;
  throw new S3Error('MetadataTooLarge', message, 400);
}

export const checksumPrefix = 'x-amz-checksum-';

/** Of a read. Checksums only when asked for and of the whole object: the client compares them with what it gets. */
export function headersOf(request: S3Request, { headers }: StoredObject, isWhole: boolean): Record<string, string> {
  const shows = isWhole && headerOf(request, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED';
  const told = Object.entries(headers).filter(([name]) => shows || !name.startsWith(checksumPrefix));
  const asked = [...kept, 'content-encoding'].flatMap((name) => {
    const value = request.query.get(`response-${name}`);
    return value === null || /[^\t\x20-\x7e\x80-\xff]/.test(value) ? [] : [[name, value] as const];
  });
  return { 'content-type': defaultType, ...Object.fromEntries(told), ...Object.fromEntries(asked) };
}
