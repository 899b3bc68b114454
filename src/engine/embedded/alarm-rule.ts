import type { ConditionKind } from '../../pipeline/execution.ts';
import type { AlarmState } from './aws-calls.ts';
import type { RuleReport } from './rule-report.ts';

type Configuration = Readonly<Record<string, string>>;

export interface AlarmLook {
  readonly configuration: Configuration;
  readonly condition: ConditionKind;
  readonly state: AlarmState;
  readonly startedAt: Date;
  readonly at: Date;
}

const lookAgainMs = 15_000;

/**
 * Before entry and on success a rule is met as soon as the alarm is in none of the states that it watches for, and has
 * `WaitTime` minutes for that. On failure it is the other way round (CP-C-3). `AlarmStates` are the states watched for;
 * without them ALARM is.
 */
export function judgeAlarm({ configuration, condition, state, startedAt, at }: AlarmLook): RuleReport {
  const name = configuration['AlarmName'] ?? '';
  const watched = statesOf(configuration['AlarmStates'] ?? '');
  const waitMinutes = Number(configuration['WaitTime'] ?? '0');
  if (!Number.isFinite(waitMinutes) || waitMinutes < 0) {
    const message = `WaitTime is '${configuration['WaitTime'] ?? ''}'; write a number of minutes.`;
    return { kind: 'errored', error: { code: 'ConfigurationError', message } };
  }
  const isWatched = watched.includes(state);
  const words = `The alarm ${name} is in state ${state}.`;
  if (isWatched === (condition === 'onFailure')) return { kind: 'succeeded', summary: words };
  if (at.getTime() - startedAt.getTime() < waitMinutes * 60_000) {
    return { kind: 'running', summary: words, pollAfterMs: lookAgainMs };
  }
  return { kind: 'failed', error: { code: 'JobFailed', message: words } };
}

/** Written with commas or as a JSON list. */
function statesOf(text: string): readonly string[] {
  const states = text.match(/[A-Z_]+/g);
  return states ?? ['ALARM'];
}
