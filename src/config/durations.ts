import { z } from 'zod';
import { rule } from './schema-problems.ts';

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const pattern = /^(\d{1,6})([mhd])$/;

/** `30m`, `12h` or `3d`, in milliseconds. */
export function durationMs(text: string): number {
  const match = pattern.exec(text);
  return Number(match?.[1] ?? 0) * units[(match?.[2] ?? 'm') as keyof typeof units];
}

/** Bounds are durations too, both allowed. */
export function duration(least: string, most: string) {
  const holds = (text: string) => {
    const ms = pattern.test(text) ? durationMs(text) : -1;
    return ms >= durationMs(least) && ms <= durationMs(most);
  };
  const mend = `Write minutes, hours or days, such as 30m, 12h or 3d: at least ${least}, at most ${most}.`;
  return z.string().check(rule(holds, 'is not a time that can be used here.', mend));
}
