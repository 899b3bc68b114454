import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

/**
 * A pipe for what a command prints. `spawn` would make a socket, and no system opens those by their name: scripts that
 * write to /dev/stderr, as `tee /dev/stderr` does, would fail.
 */
export interface OutputPipe {
  /** What the command writes to. */
  readonly descriptor: number;
  readonly stream: Readable;
  /** Closes our own hold on `descriptor`: the stream ends with the last process that has it. */
  release(): void;
  /** Nothing will be printed. */
  abandon(): void;
}

/** @param file a name that is free; it is gone again afterwards. Undefined where no pipe can be made. */
export async function makeOutputPipe(file: string): Promise<OutputPipe | undefined> {
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', file]);
    const from = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const descriptor = openSync(file, constants.O_WRONLY);
    const stream = new Socket({ fd: from, readable: true, writable: false });
    return pipeOf(descriptor, stream);
  } catch {
    return undefined;
  } finally {
    rmSync(file, { force: true });
  }
}

function pipeOf(descriptor: number, stream: Readable): OutputPipe {
  let isHeld = true;
  const release = (): void => {
    if (isHeld) closeSync(descriptor);
    isHeld = false;
  };
  return {
    descriptor,
    stream,
    release,
    abandon: () => {
      release();
      stream.destroy();
    },
  };
}
