/**
 * The only place where texts of others become Markdown (SEC R11): nobody is mentioned, nothing is linked or fetched,
 * no markup of theirs works, and invisible characters show themselves.
 */

/** GitHub's limit for summary and text, in UTF-16 units; we stay below it by the room of a closing line. */
export const maxMarkdown = 65_535;

const escape = String.fromCharCode(0x1b);
const bell = String.fromCharCode(0x07);
// Control sequences of terminals: CSI, OSC (ended by BEL or ST), and those of two characters.
const ansi = new RegExp(
  `${escape}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${bell}${escape}]*(?:${bell}|${escape}\\\\)?|[@-Z\\\\\\-_])`,
  'g',
);
const unseen = /(?![ \t\n\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One line without control sequences, and with invisible characters written as `<U+202E>`. */
export function visible(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(ansi, '')
    .replaceAll(
      unseen,
      (character) => `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`,
    );
}

function oneLine(text: string): string {
  return visible(text.replaceAll(/\s*[\r\n\u2028\u2029]+\s*/g, ' '))
    .replaceAll('\t', ' ')
    .trim();
}

/** Inline code: the safest place for a name, a branch or a line to copy. Works in a table cell too. */
export function code(text: string): string {
  const plain = oneLine(text).replaceAll('|', '\uFF5C');
  if (plain === '') return '` `';
  const fence = '`'.repeat(longestRun(plain, '`') + 1);
  const pad = plain.startsWith('`') || plain.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${plain}${pad}${fence}`;
}

/** Running text of others, for example a reason or a title; never more than one line. At most `limit` characters. */
export function prose(text: string, limit = 300): string {
  return (
    cutEnd(oneLine(text), limit)
      // An underscore inside a word marks nothing up.
      .replaceAll(/[&\\`*~[\]<>|$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[-+=#]|^\d+(?=[.)])/g, entities)
      // A word joiner keeps GitHub from seeing a mention, a reference, an address or a commit.
      .replaceAll('@', `@${joiner}`)
      .replaceAll(/#(?=\d)(?<!&#)/g, `#${joiner}`)
      .replaceAll(/\bGH-(?=\d)/gi, (word) => `${word.slice(0, 2)}${joiner}-`)
      .replaceAll('://', `:${joiner}//`)
      .replaceAll(/\bwww\./gi, (word) => `${word.slice(0, 3)}${joiner}.`)
      .replaceAll(/\b(?=[a-f]*\d)[0-9a-f]{7,40}\b/gi, (word) => `${word.slice(0, 3)}${joiner}${word.slice(3)}`)
  );
}

const copied =
  /(`[^`]+`|\barn:[\w-]+:[\w-]+:[^\s`]*[^\s`.,;:]|\b[a-z-]+:[A-Z]\w+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)/;

/**
 * A sentence of ours that holds words of others: what stands between back-ticks, ARNs, actions of IAM and ids become code,
 * which people can copy as it is; the rest is running text.
 */
export function ticked(text: string, limit = 300): string {
  const pieces = cutEnd(oneLine(text), limit).split(copied);
  const shown = pieces.map((piece, index) => {
    if (index % 2 === 1) return code(piece.replaceAll('`', ''));
    // Two spans of code that touch would become one.
    return piece === '' && index > 0 && index < pieces.length - 1 ? ' ' : spaced(piece);
  });
  return shown.join('');
}

function spaced(piece: string): string {
  const inner = piece.trim();
  return inner === '' ? piece : piece.replace(inner, () => prose(inner, piece.length + 1));
}

const joiner = '\u2060';

function entities(characters: string): string {
  return Array.from(characters, (character) => {
    return `&#${character.charCodeAt(0)};${character === '#' ? joiner : ''}`;
  }).join('');
}

/** A block of code that holds exactly these lines; its fence is longer than any in them. */
export function fenced(lines: readonly string[], indent = ''): string {
  const body = lines.flatMap((line) => visible(line).split('\n'));
  const longest = Math.max(2, ...body.map((line) => longestRun(line, '`')));
  const fence = '`'.repeat(longest + 1);
  return [fence, ...body, fence].map((line) => `${indent}${line}`).join('\n');
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A link of ours. `label` is Markdown already. */
export function link(label: string, url: string): string {
  return `[${label}](<${url.replaceAll(/[<>\s\\]/g, encodeURIComponent)}>)`;
}

/** The beginning of a text, never half a character, with `…` when something was left out. */
export function cutEnd(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, Math.max(0, limit - 1)).replace(/[\uD800-\uDBFF]$/u, '')}…`;
}

export function shortSha(sha: string): string {
  return sha.slice(0, 7);
}

function longestRun(text: string, character: string): number {
  let longest = 0;
  let run = 0;
  for (const one of text) {
    run = one === character ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}
