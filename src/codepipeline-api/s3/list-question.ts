import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import type { Element } from './xml.ts';

/** What every list of a bucket may be asked. */
export interface Question {
  readonly prefix: string;
  /** Empty: none. */
  readonly delimiter: string;
  /** At most so many rows in a page. */
  readonly size: number;
  /** Of keys, as the client asked for it. */
  readonly encode: (text: string) => string;
}

const mostRows = 1000;

/** Throws InvalidArgument for what is no number of rows. */
export function pageSize(query: URLSearchParams, name: string): number {
  const asked = query.get(name) ?? String(mostRows);
  if (/^\d{1,10}$/.test(asked)) return Math.min(mostRows, Number(asked));
  throw new S3Error('InvalidArgument', `Provided ${name} not an integer or within integer range`, 400);
}

export function questionOf({ query }: S3Request): Question {
  const isEncoded = query.get('encoding-type') === 'url';
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    size: pageSize(query, 'max-keys'),
    encode: isEncoded ? (text) => encodeURIComponent(text).replaceAll('%2F', '/') : String,
  };
}

/** The question as it is repeated in the answer. */
export function headOf({ bucket }: S3Request, { prefix, delimiter, size, encode }: Question, next: boolean): Element[] {
  return [
    ['Name', bucket],
    ['Prefix', encode(prefix)],
    ...(delimiter === '' ? [] : [['Delimiter', encode(delimiter)] as const]),
    ...(encode === String ? [] : [['EncodingType', 'url'] as const]),
    ['MaxKeys', size],
    ['IsTruncated', next],
  ];
}

/** What stands for a key and those beside it; undefined when it stands for itself. */
export function commonPrefixOf(key: string, { prefix, delimiter }: Question): string | undefined {
  const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

export function commonPrefix(name: string, { encode }: Question): Element {
  return ['CommonPrefixes', [['Prefix', encode(name)]]];
}
