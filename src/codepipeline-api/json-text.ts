import { ApiError } from './api-error.ts';

/** No shape of the model nests nearly this deep. */
const deepest = 64;

/** The body as a JSON object; nothing at all counts as `{}`. Throws SerializationException (CP-W-11). */
export function parseBody(body: Buffer): Record<string, unknown> {
  const text = body.toString();
  if (text.trim() === '') return {};
  if (isDeeperThan(text, deepest)) {
    throw new ApiError('SerializationException', `The body nests deeper than ${deepest} levels.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiError('SerializationException', 'The body is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ApiError('SerializationException', 'The body has to be a JSON object.');
  }
  return value as Record<string, unknown>;
}

/** Counts brackets outside strings, before anything recursive sees the text. */
function isDeeperThan(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if ((char === '{' || char === '[') && ++depth > limit) return true;
    else if (char === '}' || char === ']') depth -= 1;
  }
  return false;
}

/** Moments are epoch seconds with a fraction: the JavaScript SDK takes nothing else (CP-W-3). */
export function encodeOutput(value: unknown): string {
  return JSON.stringify(secondsFor(value));
}

function secondsFor(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value)) return value.map(secondsFor);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, secondsFor(inner)]));
}
