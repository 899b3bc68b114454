import { createMasker } from './mask.ts';
import type { ActionLog } from './provider.ts';

const lineFeed = 10;

/**
 * Values that only this action knows are masked before the log's own masking. `finish` writes what is held back.
 * Bytes are output of commands. Text is a line of our own, and begins one also where a command has ended none.
 */
export function maskedLog(log: ActionLog, secrets: readonly string[]): ActionLog & { finish(): void } {
  const masker = createMasker(secrets);
  let isWithinLine = false;
  return {
    write: (chunk) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(isWithinLine ? `\n${chunk}` : chunk, 'utf8') : chunk;
      if (bytes.length > 0) isWithinLine = bytes.at(-1) !== lineFeed;
      log.write(masker.push(bytes));
    },
    finish: () => log.write(masker.flush()),
  };
}
