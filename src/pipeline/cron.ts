import type { LocalTime } from './time-zone.ts';

/**
 * The cron dialect of the DeploymentWindow rule (CP 2.10): seconds, minutes, hours, day of month, month, day of week
 * (1 to 7 = SUN to SAT) and, if wanted, year; specials `* , - / ? L W #`. Judged by the minute: seconds do not count.
 */
export interface Cron {
  /** All have to hold. */
  readonly tests: readonly ((time: LocalTime) => boolean)[];
}

export type ParsedCron = { readonly ok: true; readonly cron: Cron } | { readonly ok: false; readonly problem: string };

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly words: readonly string[];
  readonly of: (time: LocalTime) => number;
  /** Whether items such as `L` or `15W` may stand here. */
  readonly special?: (item: string) => ((time: LocalTime) => boolean) | undefined;
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const days = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const fields: readonly Field[] = [
  { name: 'minutes', from: 0, to: 59, words: [], of: (time) => time.minute },
  { name: 'hours', from: 0, to: 23, words: [], of: (time) => time.hour },
  { name: 'day of month', from: 1, to: 31, words: [], of: (time) => time.day, special: specialDayOfMonth },
  { name: 'month', from: 1, to: 12, words: months, of: (time) => time.month },
  { name: 'day of week', from: 1, to: 7, words: days, of: (time) => time.weekday, special: specialDayOfWeek },
  { name: 'year', from: 1970, to: 2199, words: [], of: (time) => time.year },
];

export function parseCron(text: string): ParsedCron {
  const parts = text.trim().split(/\s+/);
  if (parts.length < 6 || parts.length > 7) {
    return { ok: false, problem: `the cron '${text}' has ${parts.length} fields instead of 6 or 7` };
  }
  const [seconds, minutes, hours, ...rest] = parts;
  if (seconds !== '*' && seconds !== '0') {
    return { ok: false, problem: `the seconds of a window cannot be chosen: '${seconds}'` };
  }
  // `0 9-17` means the hours from 9 to 17, not their first minutes.
  const wholeHours = minutes === '0' && hours?.includes('-');
  const texts = [wholeHours ? '*' : (minutes ?? '*'), hours ?? '*', ...rest];
  const tests: ((time: LocalTime) => boolean)[] = [];
  for (const [index, part] of texts.entries()) {
    const field = fields[index];
    const items = field && part.split(',').map((item) => parseItem(field, item.toUpperCase()));
    const wrong = items?.findIndex((item) => item === undefined) ?? -1;
    if (!items || wrong >= 0) return { ok: false, problem: `'${part}' is not valid for the ${field?.name ?? 'cron'}` };
    tests.push((time) => items.some((item) => item?.(time)));
  }
  return { ok: true, cron: { tests } };
}

export function cronMatches(cron: Cron, time: LocalTime): boolean {
  return cron.tests.every((test) => test(time));
}

function parseItem(field: Field, item: string): ((time: LocalTime) => boolean) | undefined {
  if (item === '*' || item === '?') return () => true;
  const special = field.special?.(item);
  if (special) return special;
  const [range = '', stepText] = item.split('/');
  const step = stepText === undefined ? 1 : Number(stepText);
  const bounds = parseRange(field, range, stepText !== undefined);
  if (!bounds || !Number.isInteger(step) || step < 1 || item.split('/').length > 2) return undefined;
  const [from, to] = bounds;
  const size = field.to - field.from + 1;
  const stepsFrom = (value: number) => (value - from + size) % size;
  return (time) => {
    const offset = stepsFrom(field.of(time));
    return offset <= stepsFrom(to) && offset % step === 0;
  };
}

/** `FRI-MON` runs over the end; `10/5` runs from 10 to the end. */
function parseRange(field: Field, text: string, hasStep: boolean): [number, number] | undefined {
  if (text === '*') return [field.from, field.to];
  const ends = text.split('-').map((end) => parseValue(field, end));
  const [from, to = hasStep ? field.to : from] = ends;
  if (from === undefined || to === undefined || ends.length > 2 || ends.includes(undefined)) return undefined;
  return [from, to];
}

function parseValue(field: Field, text: string): number | undefined {
  const word = field.words.indexOf(text);
  if (word >= 0) return field.from + word;
  if (!/^\d{1,4}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= field.from && value <= field.to ? value : undefined;
}

/** `L` last day, `L-3` three days before it, `LW` last weekday, `15W` the weekday nearest to the 15th. */
function specialDayOfMonth(item: string): ((time: LocalTime) => boolean) | undefined {
  const last = /^L(?:-(\d{1,2}))?$/.exec(item);
  if (last) return (time) => time.day === daysIn(time) - Number(last[1] ?? 0);
  if (item === 'LW') return (time) => time.day === nearestWeekday(time, daysIn(time));
  const nearest = /^(\d{1,2})W$/.exec(item);
  if (!nearest || Number(nearest[1]) < 1 || Number(nearest[1]) > 31) return undefined;
  return (time) => time.day === nearestWeekday(time, Number(nearest[1]));
}

/** `L` Saturday, `6L` the last Friday of the month, `6#3` the third Friday. */
function specialDayOfWeek(item: string): ((time: LocalTime) => boolean) | undefined {
  if (item === 'L') return (time) => time.weekday === 7;
  const found = /^([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(?:L|#([1-5]))$/.exec(item);
  if (!found) return undefined;
  const word = days.indexOf(found[1] ?? '');
  const weekday = word >= 0 ? word + 1 : Number(found[1]);
  if (found[2] === undefined) return (time) => time.weekday === weekday && time.day > daysIn(time) - 7;
  return (time) => time.weekday === weekday && Math.ceil(time.day / 7) === Number(found[2]);
}

function daysIn(time: LocalTime): number {
  return new Date(Date.UTC(time.year, time.month, 0)).getUTCDate();
}

/** Monday to Friday, never over the edge of the month. */
function nearestWeekday(time: LocalTime, wanted: number): number {
  const last = daysIn(time);
  const day = Math.min(wanted, last);
  const weekday = new Date(Date.UTC(time.year, time.month - 1, day)).getUTCDay();
  if (weekday === 6) return day > 1 ? day - 1 : day + 2;
  if (weekday === 0) return day < last ? day + 1 : day - 2;
  return day;
}
