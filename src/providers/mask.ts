import { secretForms } from './secret-forms.ts';

/**
 * Replaces secrets in a stream by `***`, wherever the stream is cut into chunks.
 * An Aho-Corasick automaton walks the bytes once; only bytes that could still begin a secret are held back.
 * A single line break inside a form is stepped over, because base64 and key files are printed in lines.
 */
export interface Masker {
  push(chunk: Uint8Array): Buffer;
  /** What is still held back, at the end. */
  flush(): Buffer;
  /** A secret takes at most so many bytes of the stream; 0 when there is none to mask. */
  readonly longest: number;
}

interface Node {
  readonly next: Map<number, number>;
  fail: number;
  depth: number;
  /** Length of the longest form that ends here; 0 for none. */
  match: number;
}

const stars = Buffer.from('***');
const lineFeed = 10;
const carriageReturn = 13;

export function createMasker(secrets: readonly string[]): Masker {
  const forms = secrets.filter((secret) => secret !== '').flatMap(secretForms);
  if (forms.length === 0) return { push: asBuffer, flush: () => Buffer.alloc(0), longest: 0 };
  return maskerOf(automaton(forms), Math.max(...forms.map((form) => form.length)));
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

export function maskText(text: string, secrets: readonly string[]): string {
  const masker = createMasker(secrets);
  return Buffer.concat([masker.push(Buffer.from(text, 'utf8')), masker.flush()]).toString('utf8');
}

function automaton(forms: readonly Buffer[]): readonly Node[] {
  const nodes: Node[] = [{ next: new Map(), fail: 0, depth: 0, match: 0 }];
  for (const form of forms) {
    let at = 0;
    for (const byte of form) {
      const known = nodes[at]!.next.get(byte);
      if (known === undefined) {
        nodes.push({ next: new Map(), fail: 0, depth: nodes[at]!.depth + 1, match: 0 });
        nodes[at]!.next.set(byte, nodes.length - 1);
      }
      at = known ?? nodes.length - 1;
    }
    nodes[at]!.match = form.length;
  }
  linkFailures(nodes);
  return nodes;
}

/** Breadth first: a node's failure link is the longest proper suffix that is also a prefix of some form. */
function linkFailures(nodes: readonly Node[]): void {
  const queue = [...nodes[0]!.next.values()];
  for (let index = 0; index < queue.length; index += 1) {
    const node = nodes[queue[index]!]!;
    for (const [byte, child] of node.next) {
      queue.push(child);
      nodes[child]!.fail = step(nodes, node.fail, byte);
      nodes[child]!.match ||= nodes[nodes[child]!.fail]!.match;
    }
  }
}

function step(nodes: readonly Node[], from: number, byte: number): number {
  for (let at = from; ; at = nodes[at]!.fail) {
    const next = nodes[at]!.next.get(byte);
    if (next !== undefined) return next;
    if (at === 0) return 0;
  }
}

function maskerOf(nodes: readonly Node[], longest: number): Masker {
  const pairs = beginnings(nodes);
  let state = 0;
  let breaks = 0;
  let inMask = false;
  let held: number[] = [];
  let hidden: boolean[] = [];
  const release = (count: number): Buffer => {
    const out: number[] = [];
    for (let index = 0; index < count; index += 1) {
      const byte = held[index]!;
      if (hidden[index] !== true || byte === lineFeed) out.push(byte);
      else if (!inMask) out.push(...stars);
      inMask = hidden[index] === true && byte !== lineFeed;
    }
    held = held.slice(count);
    hidden = hidden.slice(count);
    return Buffer.from(out);
  };
  const take = (byte: number): void => {
    held.push(byte);
    hidden.push(false);
    if (byte === carriageReturn || byte === lineFeed) {
      breaks += byte === lineFeed ? 1 : 0;
      if (breaks > 1) state = 0;
      return;
    }
    breaks = 0;
    state = step(nodes, state, byte);
    if (nodes[state]!.match > 0) hide(held, hidden, nodes[state]!.match);
  };
  return {
    push: (chunk) => {
      const parts: Buffer[] = [];
      for (let index = 0; index < chunk.length; index += 1) {
        if (held.length === 0 && state === 0) {
          const plain = plainRun(pairs, chunk, index);
          if (plain > index) {
            parts.push(Buffer.from(chunk.subarray(index, plain)));
            inMask = false;
            breaks = 0;
            index = plain - 1;
            continue;
          }
        }
        take(chunk[index]!);
        const open = openBytes(held, nodes[state]!.depth);
        if (open < held.length) parts.push(release(held.length - open));
      }
      return Buffer.concat(parts);
    },
    flush: () => release(held.length),
    // Between two bytes of a form there can be a carriage return and a line feed.
    longest: longest * 3,
  };
}

/**
 * The end of a run of bytes none of which begins a form: copied as they are, which is nearly everything. Two bytes are
 * looked at together, because the first one alone is too common.
 */
function plainRun(pairs: Uint8Array, chunk: Uint8Array, from: number): number {
  const last = chunk.length - 1;
  let index = from;
  while (index < last && pairs[(chunk[index]! << 8) | chunk[index + 1]!] === 0) index += 1;
  return index === last && pairs[chunk[index]! << 8] === 0 ? chunk.length : index;
}

/** For each two bytes, whether a form can begin with them, or with the first and a line break inside. */
function beginnings(nodes: readonly Node[]): Uint8Array {
  const pairs = new Uint8Array(65_536);
  for (const [first, child] of nodes[0]!.next) {
    const { next, match } = nodes[child]!;
    if (match > 0) pairs.fill(1, first << 8, (first + 1) << 8);
    // The pair with NUL also stands for: the chunk ends here.
    for (const second of [0, lineFeed, carriageReturn, ...next.keys()]) pairs[(first << 8) | second] = 1;
  }
  return pairs;
}

/** How many held bytes, counted from the end, the open partial match takes, line breaks inside it included. */
function openBytes(held: readonly number[], depth: number): number {
  if (depth === 0) return 0;
  return bytesBack(held, depth);
}

function hide(held: readonly number[], hidden: boolean[], length: number): void {
  const count = bytesBack(held, length);
  for (let index = held.length - count; index < held.length; index += 1) hidden[index] = true;
}

function bytesBack(held: readonly number[], length: number): number {
  let left = length;
  let index = held.length;
  while (left > 0 && index > 0) {
    index -= 1;
    if (held[index] !== lineFeed && held[index] !== carriageReturn) left -= 1;
  }
  return held.length - index;
}
