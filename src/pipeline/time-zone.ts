/** A moment on a clock on the wall. `month` 1 to 12, `weekday` 1 to 7 = Sunday to Saturday. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

/** Abbreviations mean what they mean to Java, which CodePipeline is written in. */
const abbreviations: Readonly<Record<string, string>> = {
  ACT: 'Australia/Darwin',
  AET: 'Australia/Sydney',
  AST: 'America/Anchorage',
  BST: 'Asia/Dhaka',
  CST: 'America/Chicago',
  CTT: 'Asia/Shanghai',
  EAT: 'Africa/Addis_Ababa',
  ECT: 'Europe/Paris',
  EST: 'UTC-05:00',
  GMT: 'UTC',
  HST: 'UTC-10:00',
  IST: 'Asia/Kolkata',
  JST: 'Asia/Tokyo',
  MST: 'UTC-07:00',
  NET: 'Asia/Yerevan',
  NST: 'Pacific/Auckland',
  PLT: 'Asia/Karachi',
  PNT: 'America/Phoenix',
  PRT: 'America/Puerto_Rico',
  PST: 'America/Los_Angeles',
  SST: 'Pacific/Guadalcanal',
  VST: 'Asia/Ho_Chi_Minh',
};

/** `zone`: `Region/City`, `UTC`, `UTC+05:30`, or an abbreviation. */
export function localTime(at: Date, zone: string): LocalTime {
  const name = Object.hasOwn(abbreviations, zone) ? (abbreviations[zone] ?? zone) : zone;
  const minutes = offsetMinutes(name);
  if (minutes !== undefined) return partsOf(new Date(at.getTime() + minutes * 60_000), 'UTC');
  return partsOf(at, name);
}

/** Why a time zone cannot be used, or undefined. */
export function timeZoneProblem(zone: string): string | undefined {
  try {
    localTime(new Date(0), zone);
    return undefined;
  } catch {
    return `the time zone '${zone}' is not known`;
  }
}

/** `UTC`, `UTC+2`, `UTC-05:30`; undefined for names. */
function offsetMinutes(zone: string): number | undefined {
  const found = /^(?:UTC|GMT)(?:([+-])(\d{1,2})(?::?(\d{2}))?)?$/.exec(zone);
  if (!found) return undefined;
  const minutes = Number(found[2] ?? 0) * 60 + Number(found[3] ?? 0);
  return found[1] === '-' ? -minutes : minutes;
}

function partsOf(at: Date, timeZone: string): LocalTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = parts;
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;
  return { year, month, day, weekday, hour, minute };
}
