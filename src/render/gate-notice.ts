import type { GateVerdict } from '../commands/gate.ts';
import type { Channel } from '../commands/gate-policy.ts';
import { gateLines, howToApprove } from './gate-story.ts';
import { code, link, prose, shortSha } from './markdown.ts';

export interface GateNotice {
  readonly pipeline: string;
  readonly stage: string;
  readonly action: string;
  readonly headSha: string;
  readonly cause: string;
  readonly detailsUrl: string;
  readonly verdict: GateVerdict;
  /** The exact line that approves it. */
  readonly copy: string;
  readonly channels: readonly Channel[];
  /** Teams to call, `organisation/slug`: those that the policy names. The caller sees to it that it happens once. */
  readonly call: readonly string[];
}

const teamName = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\/[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

/** The one comment that announces a gate; the only text of ours that calls anybody. */
export function renderGateNotice(notice: GateNotice): string {
  const { pipeline, stage, action, headSha, cause, detailsUrl, verdict, copy } = notice;
  const teams = notice.call.filter((team) => teamName.test(team)).map((team) => `@${team}`);
  return [
    `✋ ${code(`${pipeline}/${stage}/${action}`)} waits for approval of ${code(shortSha(headSha))} (${prose(cause)}). ${link('Details', detailsUrl)}.`,
    gateLines(verdict).join('\n'),
    `To approve, ${howToApprove(notice.channels, copy)}`,
    ...(teams.length === 0 ? [] : [`For ${teams.join(', ')}.`]),
  ].join('\n\n');
}
