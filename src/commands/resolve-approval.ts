import type { ApprovalCommand, Target } from './command.ts';
import { targetPath } from './command.ts';
import type { Channel } from './gate-policy.ts';
import { quote } from './quote.ts';
import type { CommandPrefix } from './verbs.ts';

/** A gate that waits, as far as it matters for finding out which one a comment means. */
export interface OfferedGate {
  readonly pipeline: string;
  readonly stage: string;
  readonly action: string;
  readonly token: string;
  readonly headSha: string;
  readonly fork: boolean;
  /** The policy asks for the 40 digits. */
  readonly requireSha: boolean;
  /** ISO 8601: when it began to wait. */
  readonly announcedAt: string;
  /** Of a push execution: its commit is fixed, and the merged pull request has no head any more. */
  readonly push: boolean;
  /** A blank reason is refused (CP-A-7). */
  readonly reasonNeeded?: boolean;
}

export interface ApprovalFacts {
  /** Gates that wait, of all pipelines that can be reached from where the person is. */
  readonly gates: readonly OfferedGate[];
  /** ISO 8601: when the person said it, as GitHub recorded it. */
  readonly createdAt: string;
  /** Head of the pull request at `createdAt`; null when Penstock did not see it. */
  readonly headThen: string | null;
  /** Null when the pull request is closed. */
  readonly headNow: string | null;
  /** A button stands on the check run of one commit, so it needs neither words nor time. */
  readonly channel: Channel;
  /** How lines to copy are written; the form that is always understood when absent. */
  readonly prefix?: CommandPrefix;
}

export type Resolved<G extends OfferedGate = OfferedGate> =
  { readonly ok: true; readonly gate: G } | { readonly ok: false; readonly why: string };

/**
 * Which gate an answer is for, and whether the person can have meant the commit that the gate would release (design 7,
 * SEC-A-01 to, E-16). A refusal holds the exact line to copy. Nothing is ever guessed.
 */
export function resolveApproval(command: ApprovalCommand, facts: ApprovalFacts): Resolved {
  if (facts.gates.length === 0) return no(whyNoGate(command, facts));
  const named = facts.gates.filter((gate) => isNamed(gate, command.target));
  if (named.length === 0)
    return no(`${quote(targetPath(command.target))} does not wait for an answer. ${what(command, facts, facts.gates)}`);
  const [gate, second] = named;
  if (!gate || second) return no(`Several gates wait. ${what(command, facts, named)}`);
  const problem = whyNotThisCommit(command, gate, facts);
  if (problem !== undefined) return no(`${problem} ${what(command, facts, [gate])}`);
  if (gate.reasonNeeded && command.reason.trim() === '')
    return no(`This gate needs a reason. Copy \`${line(command, facts, gate)} reason\`.`);
  return { ok: true, gate };
}

/** Of a push that came between the words and their reading people learn the new commit and its line (SEC-A-01). */
function whyNoGate({ verb, target, sha }: ApprovalCommand, { headNow, prefix = '/penstock ' }: ApprovalFacts): string {
  if (sha === undefined || headNow === null || headNow.startsWith(sha)) return 'No gate waits for an answer here.';
  const words = [`${prefix}${verb}`, targetPath(target), headNow].filter((word) => word !== '').join(' ');
  return `You named ${quote(sha)}, and the head of the pull request is ${short(headNow)} by now. When its gate waits: \`${words}\`.`;
}

function whyNotThisCommit(command: ApprovalCommand, gate: OfferedGate, facts: ApprovalFacts): string | undefined {
  const { sha } = command;
  if (sha !== undefined && !gate.headSha.startsWith(sha))
    return `You named ${quote(sha)}, and the gate waits for ${short(gate.headSha)}.`;
  if (!gate.push && facts.headNow !== null && facts.headNow !== gate.headSha)
    return `The head of the pull request is ${short(facts.headNow)} by now, so ${short(gate.headSha)} is not released.`;
  if (facts.channel === 'button') return undefined;
  if (isBefore(facts.createdAt, gate.announcedAt)) return 'You wrote this before the gate began to wait.';
  if (sha?.length === 40) return undefined;
  if (gate.fork) return 'For a fork the commit has to be named with all 40 digits, so that you approve what you read.';
  if (gate.requireSha) return 'This gate asks for all 40 digits of the commit.';
  if (gate.push || facts.headThen === gate.headSha) return undefined;
  return facts.headThen === null
    ? 'Penstock does not know which commit was the head when you wrote this.'
    : `When you wrote this the head was ${short(facts.headThen)}, and the gate waits for ${short(gate.headSha)}.`;
}

/** GitHub's times have no fractions of a second. */
function isBefore(saidAt: string, announcedAt: string): boolean {
  return Math.floor(Date.parse(saidAt) / 1000) < Math.floor(Date.parse(announcedAt) / 1000);
}

function isNamed(gate: OfferedGate, target: Target): boolean {
  const fits = (wanted: string | undefined, has: string) => wanted === undefined || wanted === has;
  return fits(target.pipeline, gate.pipeline) && fits(target.stage, gate.stage) && fits(target.action, gate.action);
}

function what(command: ApprovalCommand, facts: ApprovalFacts, gates: readonly OfferedGate[]): string {
  // After a push the old gate is about to go; its line would only be refused again (SEC-A-01).
  const open = gates.filter((gate) => gate.push || facts.headNow === null || facts.headNow === gate.headSha);
  const [moved] = gates;
  if (open.length === 0 && moved && facts.headNow !== null)
    return `When the gate of the new commit waits: \`${line(command, facts, { ...moved, headSha: facts.headNow })}\`.`;
  const lines = open.slice(0, 10).map((gate) => `\`${line(command, facts, gate)}\``);
  return `Copy ${lines.length === 1 ? '' : 'one of these: '}${lines.join(', ')}.`;
}

/** With the full commit, so that it is honoured whatever the policy asks for. */
function line({ verb }: ApprovalCommand, { prefix = '/penstock ' }: ApprovalFacts, gate: OfferedGate): string {
  return `${prefix}${verb} ${gate.pipeline}/${gate.stage}/${gate.action} ${gate.headSha}`;
}

function short(sha: string): string {
  return `\`${sha.slice(0, 7)}\``;
}

function no(why: string): Resolved {
  return { ok: false, why };
}
