/**
 * When the pool is open. Reykjavik keeps UTC all year, so the clock on the wall is the UTC clock and no summer time
 * ever moves an opening.
 */

/** Monday first. */
export const week = [
  { day: 'Monday', opens: '06:30', closes: '22:00' },
  { day: 'Tuesday', opens: '06:30', closes: '22:00' },
  { day: 'Wednesday', opens: '06:30', closes: '22:00' },
  { day: 'Thursday', opens: '06:30', closes: '22:00' },
  { day: 'Friday', opens: '06:30', closes: '20:00' },
  { day: 'Saturday', opens: '09:00', closes: '18:00' },
  { day: 'Sunday', opens: '09:00', closes: '18:00' },
];

const minutesPerDay = 24 * 60;

/** `06:30` is 390 minutes after midnight. */
export function minutesOf(clock) {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(clock);
  if (match === null) throw new RangeError(`${clock} is no time of day: write 00:00 to 23:59`);
  return Number(match[1]) * 60 + Number(match[2]);
}

export function isOpen(date) {
  const hours = week[weekday(date)];
  const minute = minuteOfDay(date);
  return minute >= minutesOf(hours.opens) && minute < minutesOf(hours.closes);
}

/** The next moment at which the pool opens, looking ahead from `date`; `date` itself does not count. */
export function nextOpening(date) {
  for (let ahead = 0; ahead <= 7; ahead += 1) {
    const midnight = startOfDay(date) + ahead * minutesPerDay * 60_000;
    const opens = midnight + minutesOf(week[weekday(new Date(midnight))].opens) * 60_000;
    if (opens > date.getTime()) return new Date(opens);
  }
  throw new Error('the pool never opens: `week` has no day with hours');
}

/** What the page says: "Open until 22:00" or "Closed; opens Saturday 09:00". */
export function sentence(date) {
  if (isOpen(date)) return `Open until ${week[weekday(date)].closes}`;
  const opening = nextOpening(date);
  const { day, opens } = week[weekday(opening)];
  return startOfDay(opening) === startOfDay(date) ? `Closed; opens at ${opens}` : `Closed; opens ${day} ${opens}`;
}

function weekday(date) {
  return (date.getUTCDay() + 6) % 7;
}

function minuteOfDay(date) {
  return date.getUTCHours() * 60 + date.getUTCMinutes();
}

function startOfDay(date) {
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
}
