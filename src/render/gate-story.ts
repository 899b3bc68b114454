import type { CountedVote, Explanation, GateVerdict, UncountedVote } from '../commands/gate.ts';
import type { Channel } from '../commands/gate-policy.ts';
import { code, prose, ticked } from './markdown.ts';
import { count, moment } from './words.ts';

/** The story of one gate: who is needed, who counted, who did not and why, who could. Markdown, made of list lines. */
export function gateLines(verdict: GateVerdict): readonly string[] {
  const isOpen = verdict.outcome === 'waiting';
  return [
    `- **${ended[verdict.outcome]}${verdict.had} of ${count(verdict.needed, 'approval')}**`,
    // What was missing matters as long as somebody can still give it.
    ...(isOpen || verdict.outcome === 'approved' ? explanationLines(verdict.explanation, '  ') : []),
    ...verdict.counted.map(countedLine),
    ...verdict.notCounted.map(notCountedLine),
    ...(isOpen && verdict.whoCould.length > 0 ? [`- Could approve: ${logins(verdict.whoCould)}`] : []),
    ...(isOpen ? verdict.warnings.map((warning) => `- ⚠️ ${ticked(warning)}`) : []),
  ];
}

const ended = { waiting: '', approved: 'Approved: ', rejected: 'Rejected, with ', expired: 'Expired, with ' } as const;

/** Reads on from "To approve, ". `copy`: the line to write where words are taken. */
export function howToApprove(channels: readonly Channel[], copy: string): string {
  const press = channels.includes('button') ? ['press the button on its check'] : [];
  const write = channels.includes('comment') ? ['comment'] : channels.includes('review') ? ['write in a review'] : [];
  return `${[...press, ...write].join(', or ')}${write.length === 0 ? '' : `: ${code(copy)}`}`;
}

/** Who could, in words; names are code, so that nobody is called. */
function logins(names: readonly string[]): string {
  const shown = names.slice(0, 10).map(code).join(', ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}

function explanationLines(node: Explanation, indent: string): readonly string[] {
  const lines = [`${indent}- ${node.holds ? '✓' : '✗'} ${ticked(node.text, 500)}${whoSoFar(node)}`];
  return [...lines, ...node.children.flatMap((child) => explanationLines(child, `${indent}  `))];
}

/** Who counts here so far. Only a leaf says that nobody could; above it, the same would stand again. */
function whoSoFar(node: Explanation): string {
  const nobody = !node.holds && node.children.length === 0 && node.couldLogins.length === 0;
  const counted =
    node.countedLogins.length === 0 ? '' : `: ${node.holds ? '' : 'so far '}${logins(node.countedLogins)}`;
  return `${counted}${nobody ? ' (nobody known could)' : ''}`;
}

function countedLine(vote: CountedVote): string {
  const verb = vote.answer === 'approve' ? 'approved' : 'rejected';
  const reason = vote.reason === '' ? '' : `: ${prose(vote.reason)}`;
  return `- ${vote.answer === 'approve' ? '✅' : '❌'} ${code(vote.person.login)} ${verb} by ${vote.channel}, ${moment(vote.at)}${reason}`;
}

function notCountedLine(vote: UncountedVote): string {
  const verb = vote.answer === 'approve' ? 'approval' : vote.answer === 'reject' ? 'rejection' : 'answer';
  return `- ▫️ The ${verb} of ${code(vote.person.login)} does not count: ${ticked(vote.why)}`;
}
