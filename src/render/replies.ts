import type { ParsedLine } from '../commands/parse-comment.ts';
import { code, cutEnd } from './markdown.ts';

/** What one line of a comment came to: a reaction, and words only when a reaction cannot carry them. */
export interface LineReply {
  readonly line: ParsedLine;
  readonly answer: {
    readonly mark: 'rocket' | '+1' | '-1' | 'confused';
    /** Markdown of ours. */
    readonly text?: string;
  };
}

/** GitHub's limit for a comment. */
const maxComment = 65_536;

const icons = { rocket: '🚀', '+1': 'ℹ️', '-1': '👎', confused: '😕' } as const;

/**
 * The one reply to a comment; undefined when reactions say it all. No line of it begins with a slash, so that no bot,
 * ours neither, can take it for a command (SEC-D-08), and nobody is mentioned.
 */
export function renderReply(answers: readonly LineReply[], login?: string): string | undefined {
  const worded = answers.filter(({ answer }) => answer.text !== undefined && answer.text !== '');
  if (worded.length === 0) return undefined;
  const to = login === undefined ? '' : `Reply to ${code(login)}. `;
  const [only] = worded;
  const body =
    only && answers.length === 1 ? `${icons[only.answer.mark]} ${only.answer.text}` : answers.map(item).join('\n');
  return cutEnd(harmless(answers.length === 1 ? body : `${to}Line by line:\n\n${body}`), maxComment);
}

function item({ line, answer }: LineReply): string {
  const said = answer.text === undefined || answer.text === '' ? 'done.' : answer.text;
  const indented = said.split('\n').join('\n  ');
  return `- ${icons[answer.mark]} ${line.text === '' ? '' : `${code(line.text)}: `}${indented}`;
}

/** A word joiner before a slash that begins a line, also in a list or a quote: unseen, and no bot trims it away. */
function harmless(markdown: string): string {
  return markdown.replaceAll(/^([\s>*+-]*)(?=\/)/gm, '$1\u2060');
}
