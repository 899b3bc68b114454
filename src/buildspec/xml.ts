/** A small reader for test reports: elements, attributes and text. No entities but XML's own, no external anything. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

const maxElements = 300_000;
const maxDepth = 200;

interface Open {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

/** Throws an Error that says what is wrong. */
export function parseXml(source: string): XmlElement {
  const root: Open = { name: '', attributes: {}, children: [], text: '' };
  const stack: Open[] = [root];
  let count = 0;
  for (let at = 0; at < source.length;) {
    const open = source.indexOf('<', at);
    const here = stack.at(-1) ?? root;
    here.text += decode(source.slice(at, open < 0 ? source.length : open));
    if (open < 0) break;
    const special = skipSpecial(source, open, here);
    if (special !== undefined) {
      at = special;
      continue;
    }
    const close = endOfTag(source, open);
    const tag = source.slice(open + 1, close);
    at = close + 1;
    if (tag.startsWith('/')) {
      if (stack.length < 2 || stack.pop()?.name !== tag.slice(1).trim())
        throw new Error(`unexpected </${tag.slice(1, 40)}>`);
      continue;
    }
    count += 1;
    if (count > maxElements || stack.length > maxDepth) throw new Error('too many elements');
    const element = readTag(tag.endsWith('/') ? tag.slice(0, -1) : tag);
    here.children.push(element);
    if (!tag.endsWith('/')) stack.push(element);
  }
  const [top] = root.children;
  if (stack.length > 1 || top === undefined)
    throw new Error(top === undefined ? 'no element' : `<${stack.at(-1)?.name ?? ''}> is not closed`);
  return top;
}

/** Comments, instructions, CDATA and a plain DOCTYPE; gives where to go on. */
function skipSpecial(source: string, open: number, here: Open): number | undefined {
  const skip = (start: string, end: string): number | undefined => {
    if (!source.startsWith(start, open)) return undefined;
    const found = source.indexOf(end, open + start.length);
    if (found < 0) throw new Error(`${start} is not closed`);
    return found + end.length;
  };
  const data = skip('<![CDATA[', ']]>');
  if (data !== undefined) here.text += source.slice(open + 9, data - 3);
  if (source.startsWith('<!DOCTYPE', open) && source.slice(open, source.indexOf('>', open)).includes('['))
    throw new Error('a DOCTYPE with declarations is not read');
  return data ?? skip('<!--', '-->') ?? skip('<?', '?>') ?? skip('<!DOCTYPE', '>');
}

/** A `>` inside a quoted attribute does not end the tag. */
function endOfTag(source: string, open: number): number {
  let quote = '';
  for (let at = open; at < source.length; at += 1) {
    const character = source[at]!;
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '>') return at;
  }
  throw new Error('a tag is not closed');
}

function readTag(tag: string): Open {
  const name = /^[^\s/>]+/.exec(tag)?.[0] ?? '';
  const attributes: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [, key, double, single] of tag.slice(name.length).matchAll(/([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    attributes[key ?? ''] = decode(double ?? single ?? '');
  }
  return { name, attributes, children: [], text: '' };
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w{2,4}));/g,
    (whole, decimal?: string, hex?: string, named?: string) => {
      if (named !== undefined) return entities[named] ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex ?? '0', 16) : Number(decimal);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '';
    },
  );
}

/** Every element below with one of the names, at any depth, in the order of the document. */
export function elementsNamed(root: XmlElement, names: readonly string[]): readonly XmlElement[] {
  const below = root.children.flatMap((child) => elementsNamed(child, names));
  return names.includes(root.name) ? [root, ...below] : below;
}

export function childNamed(element: XmlElement, ...names: readonly string[]): XmlElement | undefined {
  return element.children.find((child) => names.includes(child.name));
}
