import type { OpenDatabase } from '../db/open.ts';

/** Resolves with nothing at a signal, with the reason when the database is lost. */
export function untilEnded(
  database: Pick<OpenDatabase, 'onFatal'>,
  interrupted: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (interrupted.aborted) resolve(undefined);
    interrupted.addEventListener('abort', () => resolve(undefined), { once: true });
    database.onFatal((error) => resolve(error.message));
  });
}
