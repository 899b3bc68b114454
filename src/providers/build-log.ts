import type { ActionLog } from './provider.ts';

/** Lines of our own in the log of a build, in the form of CodeBuild's agent (CP 9.4). */
export function containerLine(at: Date, text: string): string {
  const [date, time] = at.toISOString().split('T');
  return `[Container] ${(date ?? '').replaceAll('-', '/')} ${(time ?? '').replace('Z', '000')} ${text}\n`;
}

export function say(log: ActionLog, text: string): void {
  log.write(containerLine(new Date(), text));
}
