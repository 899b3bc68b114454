import { TransientError, UserError } from '../../errors.ts';
import type { Actor } from '../../pipeline/execution.ts';
import { AwsRefusal, AwsThrottled, AwsUnanswered } from './call-errors.ts';
import type { Bound, Ground } from './ground.ts';
import { intentOf, openIntent, otherIntents, tookEffect, type Intent, type OnceCommand } from './intents.ts';
import { pipelineState } from './look.ts';
import { changeRecord, definitionOfRecord, type AwsRecord } from './records.ts';
import { take } from './take.ts';

export interface Asking {
  readonly record: AwsRecord;
  readonly bound: Bound;
  readonly by: Actor;
}

export interface Act {
  readonly call: () => Promise<void>;
  /** Whether an earlier call had its effect; a look at the execution unless told otherwise. */
  readonly recover?: () => Promise<boolean>;
  /** Stores what reads may never show of it; `call` does so itself. */
  readonly remember?: () => Promise<void>;
}

/** What a call did is to be seen after so long at the latest (CP-X-69). */
const lateReadsMs = 30_000;
const nextReadMs = 3_000;

/**
 * One call for one intent, which is on record before it goes out. When its answer was lost, the repeated command reads
 * back first: what took effect is done, and only what stays unseen is asked for again (CP-O-3).
 */
export async function askOnce(ground: Ground, command: OnceCommand, asking: Asking, act: Act): Promise<void> {
  const { record, by } = asking;
  const wanted = intentOf(record.execution, command, by, ground.now().toISOString());
  const earlier = openIntent(record.execution.aws.asked, wanted);
  if (earlier) {
    if (await isDone(ground, asking, earlier, act)) {
      await act.remember?.();
      return setIntents(ground, record, wanted);
    }
    if (Date.parse(wanted.at) - Date.parse(earlier.at) < lateReadsMs) throw notSeenYet(command);
  } else {
    await setIntents(ground, record, wanted, [wanted]);
  }
  try {
    await act.call();
  } catch (error) {
    if (!isAnswer(error) || (earlier && error instanceof TransientError)) throw error;
    const isOurs = earlier !== undefined && error instanceof AwsRefusal && (await isDone(ground, asking, earlier, act));
    if (isOurs) await act.remember?.();
    await setIntents(ground, record, wanted);
    if (!isOurs) throw error;
    return;
  }
  await setIntents(ground, record, wanted);
}

function notSeenYet({ kind }: OnceCommand): TransientError {
  const message = `CodePipeline gave no answer to ${kind}, and does not show yet whether it did it`;
  return new TransientError(message, { retryAfterMs: nextReadMs });
}

/** AWS said what became of the call. */
function isAnswer(error: unknown): boolean {
  if (error instanceof AwsUnanswered) return false;
  return error instanceof AwsRefusal || error instanceof UserError || error instanceof AwsThrottled;
}

async function isDone(ground: Ground, asking: Asking, intent: Intent, { recover }: Act): Promise<boolean> {
  if (recover) return recover();
  const { record, bound } = asking;
  const state = record.execution.mode === 'PARALLEL' ? undefined : await pipelineState(ground, bound);
  const after = await take(ground, bound, record, { told: undefined, state, actions: undefined });
  return after !== undefined && tookEffect(intent, after.execution, await definitionOfRecord(ground.db, after));
}

/** What is open for the same command becomes `open`. */
async function setIntents(
  ground: Ground,
  { execution: { id } }: AwsRecord,
  about: Intent,
  open: readonly Intent[] = [],
): Promise<void> {
  await changeRecord(ground.db, id, ({ execution }) => {
    const { asked, ...aws } = execution.aws;
    const all = [...otherIntents(asked, about), ...open];
    return { execution: { ...execution, aws: { ...aws, ...(all.length > 0 ? { asked: all } : {}) } } };
  });
}
