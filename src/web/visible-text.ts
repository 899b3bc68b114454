/**
 * Output of programs as text that a page can show: colours and cursor movements are taken out, and characters that
 * would hide or reorder text are spelled out (SEC-D-04). What is stored stays as the program wrote it.
 */
export interface TextCleaner {
  push(bytes: Uint8Array): string;
  /** The rest, when no more comes. */
  flush(): string;
}

// eslint-disable-next-line no-control-regex -- they are what this is about
const escapeSequence = new RegExp(
  [
    String.raw`\x1b\[[0-?]*[ -/]*[@-~]`, // CSI: colours, cursor
    String.raw`\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)`, // OSC: titles, links
    String.raw`\x1b[PX^_][^\x1b\n]*\x1b\\`, // DCS and its kin
    String.raw`\x1b[()*+][0-9A-Za-z]`, // character sets
    String.raw`\x1b[0-9=>@-OQ-WYZ\\a-z]`, // two-character sequences
  ].join('|'),
  'g',
);
const control = new RegExp(String.raw`[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]`, 'g');
const hiding = new RegExp(String.raw`[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]`, 'g');
/** An escape sequence that is longer than this is text. */
const longestSequence = 4096;

export function visibleText(text: string): string {
  return visibleLines(text.replaceAll(escapeSequence, ''));
}

function visibleLines(text: string): string {
  const lines = text.split('\n');
  return lines
    .map((line, index) => (index === lines.length - 1 ? line : line.slice(0, withoutReturns(line))))
    .join('\n')
    .replaceAll('\r', '\n')
    .replaceAll(control, pictureOf)
    .replaceAll(hiding, (found) => `⟨U+${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
}

/** Length of the text up to the carriage returns at its end. A pattern like `\r+$` would take quadratic time here. */
function withoutReturns(text: string): number {
  let end = text.length;
  while (text[end - 1] === '\r') end -= 1;
  return end;
}

export function createTextCleaner(): TextCleaner {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let sequence = '';
  let lineEnd = '';
  const take = (text: string, last: boolean): string => {
    const printed = sequence + text;
    const escape = last ? printed.length : unfinishedFrom(printed);
    sequence = printed.slice(escape);
    const lines = lineEnd + printed.slice(0, escape).replaceAll(escapeSequence, '');
    const end = last ? lines.length : withoutReturns(lines);
    lineEnd = lines.slice(end);
    return visibleLines(lines.slice(0, end));
  };
  return {
    push: (bytes) => take(decoder.decode(bytes, { stream: true }), false),
    flush: () => take(decoder.decode(), true),
  };
}

/** Where an escape sequence begins whose end has not come yet; the length of the text when there is none. */
function unfinishedFrom(text: string): number {
  const escape = text.lastIndexOf('\x1b');
  const isOpen = escape !== -1 && text.length - escape < longestSequence && isUnfinished(text.slice(escape));
  if (!isOpen) return text.length;
  // The first half of an ESC \ that ends an older sequence: that one is still open too.
  const before = text.lastIndexOf('\x1b', escape - 1);
  return escape === text.length - 1 && before !== -1 && isUnfinished(text.slice(before, escape)) ? before : escape;
}

function isUnfinished(tail: string): boolean {
  escapeSequence.lastIndex = 0;
  return !tail.includes('\n') && !escapeSequence.test(tail);
}

function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '␡' : '�';
}
