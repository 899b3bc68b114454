/**
 * The patterns of `artifacts.files` (CP-B-7), matched against relative paths in time linear in the path per segment:
 * `*` and `?` stay within one segment, a segment `**` is any number of segments, `[a-z]` and `{a,b}` as in a shell.
 * Hidden files match like others.
 */
export function createFileMatcher(patterns: readonly string[]): (path: string) => boolean {
  const compiled = patterns
    .flatMap((pattern) => expandBraces(normalized(pattern)))
    .map((pattern) => pattern.split('/'));
  return (path) => {
    const segments = path.split('/');
    return compiled.some((pattern) => matchSegments(pattern, segments));
  };
}

const maxAlternatives = 256;

function normalized(pattern: string): string {
  const plain = pattern.replace(/^(\.\/)+/, '').replace(/\/{2,}/g, '/');
  return plain.endsWith('/') ? `${plain}**` : plain;
}

/** `a{b,c}d` is two patterns; more than 256 are not expanded but taken literally. */
function expandBraces(pattern: string): readonly string[] {
  let done = [''];
  for (let rest = pattern; rest !== '';) {
    const group = /^([^{]*)\{([^{}]*,[^{}]*)\}/.exec(rest);
    const alternatives = group === null ? [rest] : group[2]!.split(',').map((word) => group[1]! + word);
    done = done.flatMap((before) => alternatives.map((word) => before + word));
    if (done.length > maxAlternatives) return [pattern];
    rest = group === null ? '' : rest.slice(group[0].length);
  }
  return done;
}

/** Remembers the last `**` only: to return to an earlier one could match nothing more. */
function matchSegments(pattern: readonly string[], segments: readonly string[]): boolean {
  let [p, s, star, mark] = [0, 0, -1, 0];
  while (s < segments.length) {
    if (pattern[p] === '**') [star, mark, p] = [p, s, p + 1];
    else if (p < pattern.length && matchSegment(pattern[p]!, segments[s]!)) [p, s] = [p + 1, s + 1];
    else if (star >= 0) [p, s, mark] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  while (pattern[p] === '**') p += 1;
  return p === pattern.length;
}

function matchSegment(pattern: string, text: string): boolean {
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    const token = tokenAt(pattern, p);
    if (token.kind === 'any') [star, mark, p] = [token.end, t, token.end];
    else if (token.kind === 'one' && token.matches(text[t]!)) [p, t] = [token.end, t + 1];
    else if (star >= 0) [p, t, mark] = [star, mark + 1, mark + 1];
    else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

type Token =
  | { readonly kind: 'any'; readonly end: number }
  | { readonly kind: 'one'; readonly end: number; matches(character: string): boolean }
  | { readonly kind: 'end' };

function tokenAt(pattern: string, at: number): Token {
  const character = pattern[at];
  if (character === undefined) return { kind: 'end' };
  if (character === '*') return { kind: 'any', end: at + 1 };
  if (character === '?') return { kind: 'one', end: at + 1, matches: () => true };
  const close = character === '[' ? pattern.indexOf(']', at + 2) : -1;
  if (close > 0) return { kind: 'one', end: close + 1, matches: classMatcher(pattern.slice(at + 1, close)) };
  const literal = character === '\\' && at + 1 < pattern.length ? pattern[at + 1]! : character;
  return { kind: 'one', end: at + (literal === character ? 1 : 2), matches: (other) => other === literal };
}

function classMatcher(body: string): (character: string) => boolean {
  const negated = /^[!^]/.test(body);
  const ranges = [...(negated ? body.slice(1) : body).matchAll(/(.)-(.)|(.)/gsu)];
  return (character) => {
    const inside = ranges.some(([, from, to, single]) =>
      single === undefined ? from! <= character && character <= to! : single === character,
    );
    return inside !== negated;
  };
}
