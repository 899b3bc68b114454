import { maskTokens } from '../errors.ts';

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

interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
}

/** For pino's `serializers.err`: name, message and stack, masked; none of the fields that libraries hang on errors. */
export function loggedError(error: unknown): LoggedError {
  // Probot bundles the errors of the handlers of one delivery; where they were thrown stands in them alone.
  const inner: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  if (inner.length === 1) return loggedError(inner[0]);
  if (!(error instanceof Error)) return { type: typeof error, message: maskTokens(String(error)) };
  const { name, message, stack } = error;
  return { type: name, message: maskTokens(message), ...(stack !== undefined && { stack: maskTokens(stack) }) };
}
