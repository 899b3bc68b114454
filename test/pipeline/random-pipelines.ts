import type { PipelineSpec } from './pipelines.ts';

/** Pipelines that random plays run on: each mode, with and without conditions, locks over lanes and updates. */
export interface RandomPipeline extends PipelineSpec {
  readonly exclusive?: readonly string[];
}

const check = {
  name: 'Check',
  ruleTypeId: { category: 'Rule', owner: 'AWS', provider: 'VariableCheck', version: '1' },
  configuration: { Variable: 'a', Value: 'b', Operator: 'EQ' },
};
const again = { ...check, name: 'Again' };

function when(result: string, ...rules: object[]): object {
  return { conditions: [{ result, rules }] };
}

const stages = { Source: ['App'], Gate: ['Approve!', 'Lint'], Deploy: ['A', 'B', 'C@2'] };

export const randomPipelines: Readonly<Record<string, RandomPipeline>> = {
  superseded: { stages },
  queued: { stages, mode: 'QUEUED' },
  parallel: { stages: { Source: ['App'], Build: ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H@2'] }, mode: 'PARALLEL' },
  'superseded with conditions': {
    stages,
    conditions: {
      Gate: { beforeEntry: when('FAIL', check, again), onFailure: { result: 'RETRY' } },
      Deploy: { onSuccess: when('ROLLBACK', check), onFailure: when('ROLLBACK', again) },
    },
  },
  'queued with conditions': {
    stages,
    mode: 'QUEUED',
    conditions: {
      Gate: { beforeEntry: when('SKIP', check), onSuccess: when('FAIL', again) },
      Deploy: { onFailure: { result: 'ROLLBACK' }, onSuccess: when('FAIL', check) },
    },
  },
  'parallel with conditions': {
    stages,
    mode: 'PARALLEL',
    conditions: {
      Gate: { onSuccess: when('FAIL', check), onFailure: when('RETRY', again) },
      Deploy: { beforeEntry: when('SKIP', check), onFailure: { result: 'ROLLBACK' } },
    },
  },
  'superseded with an exclusive stage': { stages, exclusive: ['Deploy'] },
  'queued with exclusive stages': {
    stages,
    mode: 'QUEUED',
    exclusive: ['Gate', 'Deploy'],
    conditions: { Deploy: { onFailure: { result: 'ROLLBACK' } } },
  },
};
