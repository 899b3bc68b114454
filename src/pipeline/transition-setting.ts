import { bookOf, patchBook, refuse, type Draft, type Verdict } from './draft.ts';
import type { PipelineCommand, TransitionSetting } from './protocol.ts';
import { longestHoldInDays } from './limits.ts';
import { endWaiting } from './stage-occupancy.ts';

type SettingCommand = Extract<PipelineCommand, { kind: 'disable-transition' | 'enable-transition' }>;

/** What CodePipeline takes from a caller (CP-X-23). */
const legalReason = /^[a-zA-Z0-9!@ ().*?-]{1,300}$/;
const longestReason = 300;

/** Holds or opens the way into or out of a stage (CP 2.5). Running actions do not notice (CP-X-28). */
export function setTransition(draft: Draft, command: SettingCommand): Verdict {
  const definitions = Object.values(draft.definitions);
  const isKnown = definitions.some((definition) => definition.stages.some((stage) => stage.name === command.stage));
  if (definitions.length > 0 && !isKnown) {
    return refuse('StageNotFoundException', 'CP-X-29', `The pipeline has no stage named '${command.stage}'.`);
  }
  return command.kind === 'disable-transition' ? disable(draft, command) : enable(draft, command);
}

function disable(draft: Draft, command: SettingCommand): Verdict {
  const problem = reasonProblem(draft, command.reason);
  if (problem !== undefined) return refuse('ValidationException', 'CP-X-29', problem);
  if (settingOf(draft, command)?.enabled === false) return { ignored: `${nameOf(command)} is disabled already.` };
  put(draft, command, false);
  return 'moved';
}

/** A person writes as people do (docs/decisions/0052). */
function reasonProblem({ given }: Draft, reason: string | undefined): string | undefined {
  if (given.by.kind === 'api') {
    if (reason !== undefined && legalReason.test(reason)) return undefined;
    return 'The reason for holding a transition has 1 to 300 characters: letters, digits, spaces and ! @ ( ) . * ? -';
  }
  const length = reason?.trim().length ?? 0;
  if (length > 0 && length <= longestReason && !/\p{Cc}/u.test(reason ?? '')) return undefined;
  return `Say why on one line of 1 to ${longestReason} characters.`;
}

function enable(draft: Draft, command: SettingCommand): Verdict {
  const setting = settingOf(draft, command);
  if (setting?.enabled !== false) return { ignored: `${nameOf(command)} is enabled already.` };
  put(draft, command, true);
  const heldFor = draft.given.at.getTime() - new Date(setting.changedAt).getTime();
  if (heldFor > longestHoldInDays * 86_400_000) dropHeld(draft, command);
  return 'moved';
}

/** CP-X-27: nobody who waited there goes on. */
function dropHeld(draft: Draft, command: SettingCommand): void {
  const why = `${nameOf(command)} was disabled for more than ${longestHoldInDays} days.`;
  for (const id of waitingBehind(draft, command)) endWaiting(draft, id, { as: 'Stopped', at: draft.at, why });
}

/** Behind an outbound transition wait those at the entrance of the next stage. */
function waitingBehind(draft: Draft, command: SettingCommand) {
  if (command.transition === 'Inbound') return bookOf(draft, command.stage).inbound;
  return Object.values(draft.executions)
    .filter((execution) => execution.waitingAt !== undefined && execution.stages.at(-1)?.stage === command.stage)
    .map((execution) => execution.id);
}

function settingOf(draft: Draft, command: SettingCommand): TransitionSetting | undefined {
  const book = bookOf(draft, command.stage);
  return command.transition === 'Inbound' ? book.inboundTransition : book.outboundTransition;
}

function put(draft: Draft, command: SettingCommand, enabled: boolean): void {
  const setting: TransitionSetting = {
    enabled,
    changedAt: draft.at,
    changedBy: draft.given.by,
    ...(!enabled && command.reason !== undefined && { reason: command.reason }),
  };
  patchBook(
    draft,
    command.stage,
    command.transition === 'Inbound' ? { inboundTransition: setting } : { outboundTransition: setting },
  );
}

function nameOf(command: SettingCommand): string {
  return `The ${command.transition.toLowerCase()} transition of stage ${command.stage}`;
}
