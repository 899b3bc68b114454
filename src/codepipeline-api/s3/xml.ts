/** XML as S3 writes it: elements and text, nothing else. */
export type Xml = string | number | boolean | readonly Element[];
export type Element = readonly [name: string, content: Xml];

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

export function document(name: string, content: readonly Element[], withNamespace = true): string {
  const open = withNamespace ? `<${name} xmlns="${namespace}">` : `<${name}>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${open}${inner(content)}</${name}>`;
}

function inner(content: Xml): string {
  if (typeof content !== 'object') return escapeText(String(content));
  return content.map(([name, value]) => `<${name}>${inner(value)}</${name}>`).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

function escapeText(text: string): string {
  // Characters that no XML document may hold, even escaped.
  const legal = text.toWellFormed().replaceAll(/[^\P{Cc}\t\n\r]|[\uFFFE\uFFFF]/gu, '\uFFFD');
  return legal.replaceAll(/[&<>"\r]/g, (char) => entities[char] ?? char);
}

/** The text that stands escaped in an element. */
export function textOf(escaped: string): string {
  return escaped.replaceAll(
    /&(?:(lt|gt|amp|quot|apos)|#(x[0-9a-fA-F]{1,6}|\d{1,7}));/g,
    (whole, name: string, code: string) => {
      if (name !== undefined) return named[name] ?? whole;
      const point = code.startsWith('x') ? Number.parseInt(code.slice(1), 16) : Number(code);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    },
  );
}

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
