/** Shorter secrets cannot be masked without ruining every log; the configuration refuses them when it is read. */
export const minimumSecretBytes = 6;

/**
 * Every byte sequence under which a secret may show up in output (SEC-D-09): itself, base64 at its three alignments,
 * base64url, percent-encoded, hex, escaped as JSON (by several writers, and twice), for a shell or for HTML, and each
 * line of a multi-line secret.
 * Line breaks are left out, because the masker steps over them.
 */
export function secretForms(secret: string): readonly Buffer[] {
  const bytes = Buffer.from(secret, 'utf8');
  const texts = [secret, ...jsonForms(secret), ...quotedForms(secret), ...linesOf(secret)];
  const encoded = [...base64Forms(bytes), ...percentForms(secret), bytes.toString('hex'), spacedHex(bytes)];
  texts.push(...encoded.filter((form) => form.length >= minimumSecretBytes), bytes.toString('hex').toUpperCase());
  const forms = texts.map((text) => text.replace(/[\r\n]/g, '')).filter((text) => text !== '');
  return [...new Set(forms)].map((text) => Buffer.from(text, 'utf8'));
}

/** The characters that depend on the secret alone, for each place it can take in a group of three bytes. */
function base64Forms(secret: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), secret]).toString('base64url');
    const firstOwn = Math.ceil((offset * 8) / 6);
    const endOwn = Math.floor(((offset + secret.length) * 8) / 6);
    const url = whole.slice(firstOwn, endOwn);
    return [url, url.replaceAll('-', '+').replaceAll('_', '/')];
  });
}

function percentForms(secret: string): string[] {
  const bytes = [...Buffer.from(secret, 'utf8')];
  const strict = bytes.map((byte) => percent(byte, /[A-Za-z0-9._~-]/)).join('');
  const loose = bytes.map((byte) => percent(byte, /[A-Za-z0-9._~!*'()-]/)).join('');
  const forms = [strict, loose, loose.replaceAll('%20', '+')];
  return [...forms, ...forms.map((form) => form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()))];
}

function percent(byte: number, kept: RegExp): string {
  const character = String.fromCharCode(byte);
  return byte < 128 && kept.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

function spacedHex(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** As JavaScript writes JSON, as Python does (ASCII only), Go (without <, > and &), PHP (\/), and JSON inside of JSON. */
function jsonForms(secret: string): string[] {
  const plain = jsonEscaped(secret);
  const ascii = escapedWhere(plain, /[^ -~]/g);
  return [plain, ascii, escapedWhere(plain, /[<>&]/g), plain.replaceAll('/', '\\/'), jsonEscaped(plain)];
}

function jsonEscaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function escapedWhere(text: string, characters: RegExp): string {
  return text.replace(characters, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** As `set -x` shows it between quotes, and as HTML shows it. */
function quotedForms(secret: string): string[] {
  const html = secret
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
  const quotes = ['&#39;', '&#x27;'].map((quote) => html.replaceAll("'", quote));
  return [secret.replaceAll("'", `'\\''`), secret.replaceAll("'", `'"'"'`), html, ...quotes];
}

/** Tools print single lines of a key file; the header line of one is no secret. */
function linesOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  return lines.length < 2 ? [] : lines.filter((line) => line.length >= 16 && !line.startsWith('-----'));
}
