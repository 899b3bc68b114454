import { createMasker } from './mask.ts';
import type { ActionLog } from './provider.ts';

/** Values that only this action knows are masked before the log's own masking. `finish` writes what is held back. */
export function maskedLog(log: ActionLog, secrets: readonly string[]): ActionLog & { finish(): void } {
  const masker = createMasker(secrets);
  return {
    write: (chunk) => log.write(masker.push(typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk)),
    finish: () => log.write(masker.flush()),
  };
}
