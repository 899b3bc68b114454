import type { Kysely } from 'kysely';
import type { Database } from './database.ts';
import { openEmbedded } from './open-embedded.ts';
import { openPostgres } from './open-postgres.ts';

export type DatabaseTarget =
  | { readonly kind: 'postgres'; readonly url: string; readonly poolSize?: number }
  /** `memory` is for tests and short demos: it is gone with the process. */
  | { readonly kind: 'embedded'; readonly directory: string };

/** Channels of NOTIFY. The embedded database must know them all before its pool opens. */
export type Channel = (typeof channels)[number];
export const channels = ['penstock_jobs'] as const;

export interface OpenDatabase {
  readonly engine: 'postgres' | 'pglite';
  readonly db: Kysely<Database>;
  /** Notifications are hints: some are lost when a connection breaks. Resolves when listening; answers how to stop. */
  readonly listen: (channel: Channel, onNotify: () => void) => Promise<() => Promise<void>>;
  /** The database cannot be used any more and the process has to end. A restart is safe, going on is not. */
  onFatal(callback: (error: Error) => void): void;
  close(): Promise<void>;
}

/** Opens the database; does not migrate. UserError when it cannot be used as configured. */
export function openDatabase(target: DatabaseTarget): Promise<OpenDatabase> {
  return target.kind === 'postgres' ? openPostgres(target) : openEmbedded(target.directory);
}
