/**
 * What Postgres refuses although JavaScript allows it: NUL in text, and \u0000 or lone surrogates in jsonb. Logs and
 * comments may hold all of them, so everything from outside passes here on its way in.
 */

/** Text that a text column takes; NUL and lone surrogates become U+FFFD. */
export function plainText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

/** JSON text that a jsonb column takes. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  // JSON.stringify writes NUL and lone surrogates as escapes; the slow copy is needed only when one may be there.
  return /\\u(0000|d[89a-f])/i.test(text) ? JSON.stringify(plainDeep(value)) : text;
}

function plainDeep(value: unknown): unknown {
  if (typeof value === 'string') return plainText(value);
  if (Array.isArray(value)) return value.map(plainDeep);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [plainText(key), plainDeep(inner)]));
}
