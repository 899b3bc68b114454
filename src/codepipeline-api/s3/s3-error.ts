import { ApiError } from '../api-error.ts';

/** An answer of the object store that is an error, in S3's words. */
export class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly code: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(code: string, message: string, status: number, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.headers = headers;
  }
}

const signatureErrors: Readonly<Record<string, readonly [string, number]>> = {
  MissingAuthenticationTokenException: ['AccessDenied', 403],
  IncompleteSignatureException: ['AuthorizationHeaderMalformed', 400],
  InvalidSignatureException: ['SignatureDoesNotMatch', 403],
  UnrecognizedClientException: ['InvalidAccessKeyId', 403],
  ExpiredTokenException: ['ExpiredToken', 400],
  RequestEntityTooLargeException: ['EntityTooLarge', 400],
};

/** What the signature check and the body reader throw, as S3 names it. `presigned`: the signature was in the query. */
export function asS3Error(error: unknown, { presigned }: { readonly presigned: boolean }): S3Error | undefined {
  if (error instanceof S3Error) return error;
  if (!(error instanceof ApiError)) return undefined;
  const isExpired = error.message.startsWith('Signature expired') || error.message.startsWith('Signature not yet');
  if (isExpired && presigned) return new S3Error('AccessDenied', `Request has expired. ${error.message}`, 403);
  if (isExpired) return new S3Error('RequestTimeTooSkewed', error.message, 403);
  if (presigned && error.code === 'IncompleteSignatureException') {
    return new S3Error('AuthorizationQueryParametersError', error.message, 400);
  }
  const [code, status] = signatureErrors[error.code] ?? ['InvalidRequest', 400];
  return new S3Error(code, error.message, status);
}

export function notImplemented(what: string): S3Error {
  return new S3Error('NotImplemented', `${what} is not served by this object store.`, 501);
}
