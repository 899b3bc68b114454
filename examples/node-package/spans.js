const units = { d: 86_400, h: 3_600, m: 60, s: 1 };

/** `1h30m` as 5400 seconds. Units come from large to small, each at most once. */
export function readSpan(text) {
  const match = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (match === null || text === '') throw new RangeError(`not a span of time: ${text}`);
  return Object.values(units).reduce((seconds, size, index) => seconds + size * Number(match[index + 1] ?? 0), 0);
}

/** 5400 seconds as `1h30m`; nothing is `0s`. */
export function writeSpan(seconds) {
  let rest = seconds;
  let text = '';
  for (const [unit, size] of Object.entries(units)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}
