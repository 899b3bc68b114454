/** How a status looks: the colour class of the style, and a mark that is read without colour. */
export interface Look {
  readonly tone: 'good' | 'bad' | 'busy' | 'wait' | 'none';
  readonly mark: string;
  readonly label: string;
}

const looks: Readonly<Record<string, Look>> = {
  Succeeded: { tone: 'good', mark: '✓', label: 'Succeeded' },
  Failed: { tone: 'bad', mark: '✗', label: 'Failed' },
  InProgress: { tone: 'busy', mark: '●', label: 'In progress' },
  Stopping: { tone: 'busy', mark: '●', label: 'Stopping' },
  'Waiting for approval': { tone: 'wait', mark: '‖', label: 'Waiting for approval' },
  'Waiting to enter': { tone: 'wait', mark: '‖', label: 'Waiting to enter' },
  Stopped: { tone: 'none', mark: '■', label: 'Stopped' },
  Abandoned: { tone: 'none', mark: '■', label: 'Abandoned' },
  // Phases of builds, in CodeBuild's words.
  SUCCEEDED: { tone: 'good', mark: '✓', label: 'Succeeded' },
  FAILED: { tone: 'bad', mark: '✗', label: 'Failed' },
  FAULT: { tone: 'bad', mark: '✗', label: 'Fault' },
  TIMED_OUT: { tone: 'bad', mark: '✗', label: 'Timed out' },
  IN_PROGRESS: { tone: 'busy', mark: '●', label: 'In progress' },
  'Cut off': { tone: 'none', mark: '■', label: 'Cut off' },
  STOPPED: { tone: 'none', mark: '■', label: 'Stopped' },
};

export function lookOf(status: string): Look {
  return looks[status] ?? { tone: 'none', mark: '○', label: status };
}

/** `850 ms`, `12 s`, `3 min 5 s`, `2 h 10 min`; empty while it did not start, open-ended while it runs. */
export function durationText(startedAt: string | undefined, endedAt: string | undefined, now: Date): string {
  if (startedAt === undefined) return '';
  const milliseconds = (endedAt === undefined ? now.getTime() : Date.parse(endedAt)) - Date.parse(startedAt);
  if (milliseconds < 1000) return `${Math.max(0, milliseconds)} ms`;
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `2026-11-23 04:05:06 UTC`. */
export function timeText(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
