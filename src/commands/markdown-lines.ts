import { fromMarkdown } from 'mdast-util-from-markdown';
import type { Nodes, Paragraph, PhrasingContent } from 'mdast';
import { extendedLines } from './github-markdown.ts';
import { OpenElements } from './open-elements.ts';

/**
 * Finds the lines of a comment that stand as plain text of their own, as GitHub would render them: not in a quote,
 * code, HTML, a link, a list or a table. Everything else can never be a command (SEC-B-22).
 */

/** In a quote or list: plain to the eye, but Markdown makes the line a part of what stands above it. */
export interface CommentLine {
  /** 1-based. */
  readonly line: number;
  readonly text: string;
  readonly standing: 'plain' | 'in a quote' | 'in a list';
}

export type CommentLines =
  { readonly ok: true; readonly lines: readonly CommentLine[] } | { readonly ok: false; readonly why: string };

/** GitHub's own limit for a comment. */
const maxLength = 65_536;
/** Tens of thousands of one-letter list items take the parser most of a second, and nobody reads them. */
const maxLines = 5000;
const maxNesting = 20;
/** The Markdown parser's time grows with the square of how often a quote or list ends; no person writes so many. */
const maxTurns = 1000;

/** Emphasis and underlined headings change no meaning here, and are what makes Markdown slow on hostile input. */
const syntax = { disable: { null: ['attention', 'setextUnderline'] } };

/** Could be a command, whatever stands around it; a cheap look that spares most comments the parser. */
const candidate = /^[ \t]*\p{Cf}*[/\uFF0F\u2044\u2215\u29F8]/u;

export function commentLines(body: string): CommentLines {
  const source = readSource(body);
  if (!source.lines.some((line) => candidate.test(line.text))) return { ok: true, lines: [] };
  if (body.length > maxLength) return { ok: false, why: `The comment is longer than ${maxLength} characters.` };
  if (source.lines.length > maxLines) return { ok: false, why: `The comment has more than ${maxLines} lines.` };
  if (source.lines.some((line) => nesting(line.text) > maxNesting))
    return { ok: false, why: `The comment has quotes or lists nested more than ${maxNesting} deep.` };
  if (turns(source.lines.map((line) => line.text)) > maxTurns)
    return { ok: false, why: `The comment goes in and out of quotes or lists more than ${maxTurns} times.` };
  return { ok: true, lines: findLines(source).sort((a, b) => a.line - b.line) };
}

function findLines(source: Source): CommentLine[] {
  const tree = fromMarkdown(source.text, { extensions: [syntax] });
  const elements = new OpenElements();
  const found: CommentLine[] = [];
  let footnoteEnd = 0;
  for (const node of tree.children) {
    // CommonMark reads `[^1]: words` as the address of a link, and GitHub as a footnote that goes on in the next line.
    if (node.type === 'definition' && node.identifier.startsWith('^')) footnoteEnd = node.position?.end.line ?? 0;
    const isFootnote = footnoteEnd > 0 && node.position?.start.line === footnoteEnd + 1;
    if (node.type === 'html') elements.read(node.value);
    else if (node.type === 'paragraph' && isFootnote) continue;
    else if (node.type === 'paragraph') found.push(...plainLines(node, source, elements));
    else if (!elements.hide()) found.push(...joinedLines(node, source));
  }
  return found;
}

function plainLines(paragraph: Paragraph, source: Source, elements: OpenElements): CommentLine[] {
  const found: CommentLine[] = [];
  const firstLine = paragraph.position?.start.line ?? 1;
  const extended = extendedLines(linesOf(paragraph).map((line) => lineOf(source, line).text));
  let nextLine = firstLine;
  for (const child of paragraph.children) {
    if (child.type === 'html') elements.read(child.value);
    const last = child.position?.end.line ?? 0;
    const isPlain = child.type === 'text' && !elements.hide();
    for (; nextLine <= last; nextLine += 1) {
      const first = firstCharacter(source, nextLine);
      if (first >= (child.position?.end.offset ?? 0)) break;
      // The line belongs to the child that holds its first character.
      const isOwn = first >= (child.position?.start.offset ?? 0) && !extended[nextLine - firstLine];
      if (isPlain && isOwn && isAtMargin(lineOf(source, nextLine).text))
        found.push({ line: nextLine, text: cleanLine(paragraph, nextLine, source), standing: 'plain' });
    }
  }
  return found;
}

/** The line as a person reads it: without HTML comments, and code spans without their back-ticks. */
function cleanLine(paragraph: Paragraph, line: number, source: Source): string {
  const { from, to } = lineOf(source, line);
  let text = '';
  for (const child of childrenBetween(paragraph.children, from, to)) {
    const start = Math.max(child.position?.start.offset ?? 0, from);
    const end = Math.min(child.position?.end.offset ?? 0, to);
    if (child.type === 'break' || (child.type === 'html' && child.value.startsWith('<!--'))) continue;
    const isWholeCode = child.type === 'inlineCode' && child.position?.start.line === child.position?.end.line;
    text += isWholeCode ? child.value : source.text.slice(start, end);
  }
  return trimBlanks(text);
}

function childrenBetween(children: readonly PhrasingContent[], from: number, to: number): readonly PhrasingContent[] {
  let low = 0;
  let high = children.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((children[middle]?.position?.end.offset ?? 0) <= from) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < children.length && (children[end]?.position?.start.offset ?? to) < to) end += 1;
  return children.slice(low, end);
}

function joinedLines(block: Nodes, source: Source): CommentLine[] {
  if (block.type !== 'blockquote' && block.type !== 'list') return [];
  const standing = block.type === 'blockquote' ? 'in a quote' : 'in a list';
  const found: CommentLine[] = [];
  const open: Nodes[] = [block];
  for (let node = open.pop(); node; node = open.pop()) {
    if (node.type !== 'paragraph') {
      if ('children' in node) open.push(...node.children);
      continue;
    }
    for (const line of linesOf(node).slice(1)) {
      const text = lineOf(source, line).text;
      if (isAtMargin(text) && text.trimStart().startsWith('/')) found.push({ line, text: trimBlanks(text), standing });
    }
  }
  return found;
}

function linesOf(node: Nodes): number[] {
  if (!node.position) return [];
  const { start, end } = node.position;
  return Array.from({ length: end.line - start.line + 1 }, (_, index) => start.line + index);
}

/** Four columns would be code if the line stood alone. */
function isAtMargin(line: string): boolean {
  return /^ {0,3}[^ \t]/.test(line);
}

/** Blanks and tabs only: another kind of space is a character that the person has to hear of (SEC-B-23). */
export function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (text[from] === ' ' || text[from] === '\t') from += 1;
  while (to > from && (text[to - 1] === ' ' || text[to - 1] === '\t')) to -= 1;
  return text.slice(from, to);
}

/** What opens quotes and list items at the beginning of a line: one character for each. */
function containerMarks(line: string): string {
  const margin = /^(?:[ \t>*+-]|\d{1,9}[.)](?=[ \t]))*/.exec(line)?.[0] ?? '';
  return margin.match(/>|[*+-](?=[ \t])|[.)]/g)?.join('') ?? '';
}

function nesting(line: string): number {
  return containerMarks(line).length;
}

/** How often a line begins with other marks than the one before it. */
function turns(lines: readonly string[]): number {
  let before = '';
  let count = 0;
  for (const line of lines) {
    const marks = containerMarks(line);
    if (marks !== before) count += 1;
    before = marks;
  }
  return count;
}

/** A comment and where its lines are, counted as the Markdown parser counts them. */
interface Source {
  readonly text: string;
  readonly lines: readonly { readonly text: string; readonly from: number; readonly to: number }[];
}

function readSource(body: string): Source {
  // The parser would skip a byte order mark and count one off; it may not turn what follows into a command either.
  const text = body.replace(/^\uFEFF/, '\u200B');
  const lines: { text: string; from: number; to: number }[] = [];
  let from = 0;
  for (const end of text.matchAll(/\r\n|\n|\r|$/g)) {
    lines.push({ text: text.slice(from, end.index), from, to: end.index });
    from = end.index + end[0].length;
  }
  return { text, lines };
}

/** `number` is 1-based, as the parser counts. */
function lineOf(source: Source, number: number): Source['lines'][number] {
  return source.lines[number - 1] ?? { text: '', from: 0, to: 0 };
}

function firstCharacter(source: Source, number: number): number {
  const { text, from } = lineOf(source, number);
  return from + (/^[ \t]*/.exec(text)?.[0].length ?? 0);
}
