import type { StoredObject } from '../../providers/stored-object.ts';
import { S3Error } from './s3-error.ts';
import { headerOf, type S3Request } from './s3-request.ts';

/** Conditional requests, as RFC 9110 orders their headers and S3 answers them. */

const failed = 'At least one of the pre-conditions you specified did not hold';

/**
 * `x-amz-copy-source-` before the names: conditions on the source of a copy.
 * @returns whether the client has the object already: the answer to a read is 304 then.
 */
export function isUnchanged(request: S3Request, found: StoredObject, prefix = ''): boolean {
  const header = (name: string): string | undefined => headerOf(request, `${prefix}${name}`);
  const [match, noneMatch] = [header('if-match'), header('if-none-match')];
  if (match === undefined ? isLater(found, header('if-unmodified-since')) : !names(match, found)) throw precondition();
  if (noneMatch !== undefined) return names(noneMatch, found);
  const since = header('if-modified-since');
  return since !== undefined && !Number.isNaN(Date.parse(since)) && !isLater(found, since);
}

/** Whole seconds, as in HTTP. */
function isLater({ storedAt }: StoredObject, since: string | undefined): boolean {
  const at = Date.parse(since ?? '');
  return !Number.isNaN(at) && Math.floor(Date.parse(storedAt) / 1000) > Math.floor(at / 1000);
}

function names(list: string, { etag }: StoredObject): boolean {
  const bare = (text: string): string => text.trim().replace(/^W\//, '').replaceAll(/^"|"$/g, '');
  return list.split(',').some((one) => one.trim() === '*' || bare(one) === bare(etag));
}

export function precondition(): S3Error {
  return new S3Error('PreconditionFailed', failed, 412);
}

/** Of a write: what has to be there, or must not, for it to happen. undefined: whatever is there. */
export function writeCondition(request: S3Request): ((current: StoredObject | null) => void) | undefined {
  const [match, noneMatch] = [headerOf(request, 'if-match'), headerOf(request, 'if-none-match')];
  if (match === undefined && noneMatch === undefined) return undefined;
  if (noneMatch !== undefined && noneMatch.trim() !== '*') {
    const message = 'A header you provided implies functionality that is not implemented: If-None-Match takes * here.';
    throw new S3Error('NotImplemented', message, 501);
  }
  return (current) => {
    if (noneMatch !== undefined && current) throw precondition();
    if (match === undefined) return;
    if (!current) throw new S3Error('NoSuchKey', 'The specified key does not exist.', 404);
    if (!names(match, current)) throw precondition();
  };
}

/** Whether a range still fits the object that the client began to read. */
export function isSameForRange(request: S3Request, found: StoredObject): boolean {
  const condition = headerOf(request, 'if-range');
  if (condition === undefined) return true;
  const at = Date.parse(condition);
  return Number.isNaN(at) ? names(condition, found) : !isLater(found, condition);
}
