import type { RetryMode } from '../../src/pipeline/definition.ts';
import type { ActionExecutionId, ExecutionId, LaneKey } from '../../src/pipeline/execution.ts';
import type { Input, PipelineState } from '../../src/pipeline/protocol.ts';
import type { BuiltPipeline } from './pipelines.ts';

/** One line of a scenario as an input of the core. `Stage/Action#1` names the first attempt. */
export function inputOf(line: string, state: Pick<PipelineState, 'lane'>, pipeline: BuiltPipeline, ids: Ids): Input {
  const [verb = '', first = '', second = '', ...rest] = line.split(/\s+/);
  const lane = state.lane;
  const execution = ids.executionId(first);
  const action = () => ids.actionId(first, second);
  switch (verb) {
    case 'start':
      return startOf(first, [second, ...rest], pipeline);
    case 'update':
    case 'back':
      return { kind: 'update-definition', definition: pipeline.definition, digest: pipeline.digest };
    case 'running':
      return { kind: 'action-running', execution, action: action(), externalExecutionId: rest[0] ?? 'ext' };
    case 'wait':
      return { kind: 'action-waiting', execution, action: action() };
    case 'succeed':
      return { kind: 'action-succeeded', execution, action: action() };
    case 'fail':
      return { kind: 'action-failed', execution, action: action(), error: { code: 'JobFailed', message: 'exit 1' } };
    case 'timeout':
      return { kind: 'deadline-passed', execution, action: action() };
    case 'approve':
    case 'reject': {
      const [stage = '', name = ''] = second.replace(/#\d+$/, '').split('/');
      const token = action();
      return { kind: verb, lane, execution, stage, action: name, token, summary: rest.join(' ') };
    }
    case 'rule':
      return ruleOf(execution, ids.ruleId(first, second), rest[0] ?? '');
    case 'lock':
      return rest[0] === 'granted'
        ? { kind: 'lock-granted', execution, stage: second }
        : { kind: 'lock-queued', execution, stage: second, place: Number(rest[1]) };
    default:
      return commandOf(verb, { lane, execution, ids }, first, second, rest);
  }
}

export interface Ids {
  readonly executionId: (name: string) => ExecutionId;
  readonly actionId: (execution: string, path: string) => ActionExecutionId;
  readonly ruleId: (execution: string, path: string) => ActionExecutionId;
}

function commandOf(
  verb: string,
  { lane, execution, ids }: { readonly lane: LaneKey; readonly execution: ExecutionId; readonly ids: Ids },
  first: string,
  second: string,
  rest: readonly string[],
): Input {
  switch (verb) {
    case 'retry':
      return { kind: 'retry', lane, execution, stage: second, mode: (rest[0] ?? 'FAILED_ACTIONS') as RetryMode };
    case 'stop':
      return { kind: 'stop', lane, execution, abandon: second === 'abandon' };
    case 'withdraw':
      return {
        kind: 'withdraw',
        lane,
        execution,
        because:
          second === 'newer'
            ? { kind: 'newer-commit', sha: rest[0] ?? 'abc1234' }
            : { kind: 'closed', merged: second === 'merged' },
      };
    case 'hold':
    case 'release':
      return {
        kind: verb === 'hold' ? 'disable-transition' : 'enable-transition',
        lane,
        stage: first,
        transition: second as 'Inbound' | 'Outbound',
        ...(rest.length > 0 && { reason: rest.filter((word) => word !== 'by-call').join(' ') }),
      };
    case 'rollback':
      return { kind: 'rollback', lane, execution, stage: second, target: ids.executionId(rest[1] ?? '') };
    case 'override':
      return {
        kind: 'override',
        lane,
        execution,
        stage: second,
        condition: rest[0] as 'BEFORE_ENTRY' | 'ON_SUCCESS',
      };
    default:
      throw new Error(`The scenario says '${verb}', which is not a known input.`);
  }
}

function startOf(id: string, words: readonly string[], pipeline: BuiltPipeline): Input {
  const pairs = words.filter((word) => word.includes('='));
  const exclusive = words.find((word) => word.startsWith('exclusive:'))?.slice('exclusive:'.length);
  return {
    kind: 'start',
    execution: id as ExecutionId,
    definition: pipeline.definition,
    digest: pipeline.digest,
    trigger: words.includes('by-call')
      ? { type: 'StartPipelineExecution', detail: 'arn' }
      : { type: 'WebhookV2', detail: 'push' },
    sourceRevisions: [{ actionName: 'App', revisionId: `sha-of-${id}` }],
    variables: pairs.map((pair) => ({ name: pair.split('=')[0] ?? '', value: pair.split('=')[1] ?? '' })),
    ...(exclusive !== undefined && { exclusive: exclusive.split(',') }),
  };
}

function ruleOf(execution: ExecutionId, rule: ActionExecutionId, how: string): Input {
  const error = { code: 'RuleFailed', message: 'not met' };
  if (how === 'succeed') return { kind: 'rule-succeeded', execution, rule };
  if (how === 'running') return { kind: 'rule-running', execution, rule, summary: 'looking' };
  if (how === 'timeout') return { kind: 'rule-deadline-passed', execution, rule };
  return { kind: how === 'error' ? 'rule-errored' : 'rule-failed', execution, rule, error };
}
