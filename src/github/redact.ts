/** For pino: keys whose values are never written (SEC-T-02). */
export const redactPaths: readonly string[] = [
  'token',
  'privateKey',
  'secret',
  'webhookSecrets',
  'databaseUrl',
  'authorization',
  'headers.authorization',
  '*.token',
  '*.privateKey',
  '*.secret',
  '*.webhookSecrets',
  '*.databaseUrl',
  '*.authorization',
  '*.headers.authorization',
  'err.request',
  'err.response',
];

const tokens = /\b(?:gh[a-z]_[A-Za-z0-9_.-]{10,}|github_pat_\w{10,}|eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]{5,})/g;
const keys = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const basicAuth = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]*:[^\s/@]*@/gi;

/** Masks tokens, JWTs, keys and passwords in addresses, wherever they stand in a text. */
export function maskTokens(text: string): string {
  return text.replaceAll(keys, '[key]').replaceAll(tokens, '[token]').replaceAll(basicAuth, '$1[credentials]@');
}

interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
}

/** For pino's `serializers.err`: name, message and stack, masked; none of the fields that libraries hang on errors. */
export function loggedError(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: maskTokens(String(error)) };
  const { name, message, stack } = error;
  return { type: name, message: maskTokens(message), ...(stack !== undefined && { stack: maskTokens(stack) }) };
}
