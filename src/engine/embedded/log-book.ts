import { logPath, openActionLog, type OpenActionLog } from '../../providers/action-log.ts';
import type { ActionLog } from '../../providers/provider.ts';

/** The logs of running actions: one open file per action attempt, however often its provider is called. */
export interface LogBook {
  /** `secrets` are masked, as they were when the log was first written to. */
  log(execution: string, actionExecution: string, secrets: readonly string[]): ActionLog;
  /** The action ended: what is held back for masking is written, and the file is closed. */
  close(actionExecution: string): void;
}

/** Each log file has about `capBytes` at most; the rest is left out with a notice. */
export function createLogBook(home: string, capBytes?: number): LogBook {
  const open = new Map<string, OpenActionLog>();
  return {
    log(execution, actionExecution, secrets) {
      return {
        write(chunk) {
          // Opened on the first word: an approval that waits for days holds no file.
          let log = open.get(actionExecution);
          if (!log) {
            const file = logPath(home, execution, actionExecution);
            log = openActionLog({ file, mask: secrets, ...(capBytes === undefined ? {} : { capBytes }) });
            open.set(actionExecution, log);
          }
          log.write(chunk);
        },
      };
    },
    close(actionExecution) {
      open.get(actionExecution)?.close();
      open.delete(actionExecution);
    },
  };
}
