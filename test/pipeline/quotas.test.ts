import { describe, expect, it } from 'vitest';
import { readDeclarationValue, type ReadDefinition } from '../../src/pipeline/read-definition.ts';
import { declarationOf, type PipelineSpec } from './pipelines.ts';

/** What stands in a declaration may be as much as CodePipeline's quotas allow (CP-1.5), and no more. */

interface Quota {
  readonly what: string;
  readonly most: number;
  readonly declare: (count: number) => PipelineSpec;
  readonly path: string;
  readonly exception: string;
  /** Of one too many. */
  readonly message: string;
}

const quotas: readonly Quota[] = [
  {
    what: 'stages',
    most: 50,
    declare: (count) => ({ stages: { Source: ['App'], ...stagesOf(count - 1, 1) } }),
    path: 'stages',
    exception: 'InvalidStructureException',
    message: 'Pipeline has 51 stages. There should be a maximum of 50 stages in a pipeline',
  },
  {
    what: 'actions of a stage',
    most: 100,
    declare: (count) => ({ stages: { Source: ['App'], ...stagesOf(1, count) } }),
    path: 'stages[1].actions',
    exception: 'InvalidStageDeclarationException',
    message: 'Stage S0 has 101 actions. There should be a maximum of 100',
  },
  {
    what: 'actions of a pipeline',
    most: 1000,
    declare: (count) => ({ stages: { Source: ['App'], ...stagesOf(10, 99), Rest: approvals(count - 991) } }),
    path: 'stages',
    exception: 'InvalidStructureException',
    message: 'Pipeline has 1001 actions. There should be a maximum of 1000 actions in a pipeline',
  },
  {
    what: 'bytes of triggers',
    most: 200 * 1024,
    declare: (bytes) => ({ stages: { Source: sources, ...stagesOf(1, 1) }, triggers: triggersOf(bytes) }),
    path: 'triggers',
    exception: 'InvalidStructureException',
    message: 'The triggers take 204801 bytes, more than 204800',
  },
];

describe('CP-1.5: quotas of a declaration', () => {
  it.each(quotas)('$most $what are taken, one more is refused', ({ most, declare, path, exception, message }) => {
    expect(read(declare(most))).toMatchObject({ ok: true });
    const over = read(declare(most + 1));
    const errors = over.ok ? [] : over.problems.filter(({ severity }) => severity === 'error');
    expect(errors).toEqual([expect.objectContaining({ path, exception, message })]);
  });

  it('two stages are the fewest', () => {
    expect(read({ stages: { Source: ['App'], ...stagesOf(1, 1) } })).toMatchObject({ ok: true });
    expect(read({ stages: { Source: ['App'] } })).toMatchObject({ ok: false });
  });

  it.each(['push', 'pullRequest'])('a filter of %s stands once in its list', (list) => {
    const filter = { branches: { includes: ['main'] } };
    const declared = (filters: object[]) => ({
      stages: { Source: ['App'], ...stagesOf(1, 1) },
      triggers: [triggerOf('App', { [list]: filters })],
    });
    expect(read(declared([filter, { branches: { includes: ['main', 'next'] } }]))).toMatchObject({ ok: true });
    expect(read(declared([filter, filter]))).toMatchObject({ ok: false, problems: [{ rule: 'CP-D-18' }] });
  });

  it('of more than a kilobyte of ParameterOverrides is warned', () => {
    const stack = (text: string) => ({
      stages: { Source: ['App'], Ship: ['Stack'] },
      actions: {
        'Ship/Stack': {
          actionTypeId: { category: 'Deploy', owner: 'AWS', provider: 'CloudFormation', version: '1' },
          configuration: { ActionMode: 'CREATE_UPDATE', StackName: 'web', ParameterOverrides: text },
          commands: [],
        },
      },
    });
    const warned = (text: string) => {
      const result = read(stack(text));
      return result.ok && result.warnings.map(({ rule }) => rule).includes('CP-D-9');
    };
    expect(warned('x'.repeat(1000))).toBe(false);
    expect(warned('x'.repeat(1001))).toBe(true);
  });
});

function read(spec: PipelineSpec): ReadDefinition {
  return readDeclarationValue(declarationOf(spec), () => ({ line: 1, column: 1 }), 'p', { inline: true });
}

function approvals(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `A${index}!`);
}

function stagesOf(count: number, actions: number): Record<string, readonly string[]> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`S${index}`, approvals(actions)]));
}

const sources = ['App', 'Lib', 'Docs', 'Site', 'Tool'];
const longest = 255;

/** Triggers whose JSON takes this many bytes. */
function triggersOf(bytes: number): object[] {
  return triggersCutBy(Buffer.byteLength(JSON.stringify(triggersCutBy(0))) - bytes);
}

/** As many and as long patterns as five triggers may have, without so many of their characters. */
function triggersCutBy(characters: number): object[] {
  let left = characters;
  let number = 0;
  const eight = () =>
    Array.from({ length: 8 }, () => {
      const cut = Math.min(left, longest - 10);
      left -= cut;
      number += 1;
      return `p${number}`.padEnd(longest - cut, '-');
    });
  const patterns = () => ({ includes: eight(), excludes: eight() });
  const three = () => Array.from({ length: 3 }, () => ({ branches: patterns(), filePaths: patterns() }));
  return sources.map((name) => triggerOf(name, { push: three(), pullRequest: three() }));
}

function triggerOf(sourceActionName: string, filters: object): object {
  return { providerType: 'CodeStarSourceConnection', gitConfiguration: { sourceActionName, ...filters } };
}
