/** The parts of a glob pattern; `glob.ts` matches with them. */
export type GlobItem =
  | { readonly kind: 'one'; readonly test: (char: string) => boolean }
  /** Any number of characters that pass the test. */
  | { readonly kind: 'any'; readonly test: (char: string) => boolean }
  | { readonly kind: 'choice'; readonly choices: readonly (readonly GlobItem[])[] };

export type ParsedGlob =
  { readonly ok: true; readonly items: readonly GlobItem[] } | { readonly ok: false; readonly problem: string };

interface Reader {
  readonly chars: readonly string[];
  at: number;
}

class GlobError extends Error {}

export function parseGlob(pattern: string): ParsedGlob {
  const reader: Reader = { chars: Array.from(pattern), at: 0 };
  try {
    return { ok: true, items: readItems(reader, false) };
  } catch (error) {
    if (error instanceof GlobError) return { ok: false, problem: error.message };
    throw error;
  }
}

/** Reads to the end of the pattern or, inside braces, to the next `,` or `}`, which it leaves. */
function readItems(reader: Reader, inBraces: boolean): GlobItem[] {
  const items: GlobItem[] = [];
  for (let char = reader.chars[reader.at]; char !== undefined; char = reader.chars[reader.at]) {
    if (inBraces && (char === ',' || char === '}')) return items;
    reader.at += 1;
    items.push(readItem(reader, char, inBraces));
  }
  if (inBraces) throw new GlobError('the brace { is never closed');
  return items;
}

function readItem(reader: Reader, char: string, inBraces: boolean): GlobItem {
  switch (char) {
    case '*':
      if (reader.chars[reader.at] !== '*') return { kind: 'any', test: notSlash };
      reader.at += 1;
      return { kind: 'any', test: () => true };
    case '?':
      return { kind: 'one', test: notSlash };
    case '[':
      return readClass(reader);
    case '{':
      if (inBraces) throw new GlobError('braces { } cannot stand inside braces');
      return readChoice(reader);
    case '\\':
      return readEscaped(reader);
    default:
      return literal(char);
  }
}

function readEscaped(reader: Reader): GlobItem {
  const char = reader.chars[reader.at];
  if (char === undefined) throw new GlobError('a backslash at the end escapes nothing');
  reader.at += 1;
  return literal(char);
}

function readChoice(reader: Reader): GlobItem {
  const choices = [readItems(reader, true)];
  while (reader.chars[reader.at] === ',') {
    reader.at += 1;
    choices.push(readItems(reader, true));
  }
  reader.at += 1;
  return { kind: 'choice', choices };
}

/** After `[`. Inside, `*`, `?` and `\` stand for themselves, and a slash is never matched. */
function readClass(reader: Reader): GlobItem {
  const negated = reader.chars[reader.at] === '!';
  if (negated) reader.at += 1;
  const ranges: [string, string][] = [];
  for (let from = reader.chars[reader.at]; from !== ']'; from = reader.chars[reader.at]) {
    if (from === undefined) throw new GlobError('the bracket [ is never closed');
    ranges.push(readRange(reader, from));
  }
  reader.at += 1;
  if (ranges.length === 0) throw new GlobError('the brackets [] are empty');
  return {
    kind: 'one',
    test: (char) => notSlash(char) && ranges.some(([from, to]) => from <= char && char <= to) !== negated,
  };
}

function readRange(reader: Reader, from: string): [string, string] {
  const to = reader.chars[reader.at + 2];
  const isRange = reader.chars[reader.at + 1] === '-' && to !== undefined && to !== ']';
  reader.at += isRange ? 3 : 1;
  if (!isRange) return [from, from];
  if (to < from) throw new GlobError(`the range ${from}-${to} runs backwards`);
  return [from, to];
}

function literal(wanted: string): GlobItem {
  return { kind: 'one', test: (char) => char === wanted };
}

function notSlash(char: string): boolean {
  return char !== '/';
}
