import { TextDecoder } from 'node:util';

/** The text of a report file: in what its first bytes say, else in what its XML declaration says, else in UTF-8. */
export function reportText(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1');
  const marked = marks.find(([mark]) => head.startsWith(mark))?.[1];
  const declared = /^<\?xml\s[^>]*?\bencoding\s*=\s*["']([\w.:-]+)["']/.exec(head)?.[1] ?? 'utf-8';
  // A file that begins with "<?xml" in single bytes is not in UTF-16, whatever it says.
  return decoderFor(marked ?? (/^utf-?16/i.test(declared) ? 'utf-8' : declared)).decode(bytes);
}

const marks = [
  ['\xff\xfe', 'utf-16le'],
  ['\xfe\xff', 'utf-16be'],
  ['\xef\xbb\xbf', 'utf-8'],
] as const;

function decoderFor(label: string): TextDecoder {
  try {
    return new TextDecoder(label);
  } catch {
    return new TextDecoder();
  }
}
