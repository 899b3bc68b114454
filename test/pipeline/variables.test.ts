import { describe, expect, it } from 'vitest';
import {
  malformedReferences,
  resolveTexts,
  resolveVariables,
  variableReferences,
} from '../../src/pipeline/variables.ts';

const namespaces = {
  codepipeline: { PipelineExecutionId: 'e1' },
  Build: { TAG: 'v1', EMPTY: '', tricky: '#{Build.TAG} $& $1' },
};

describe('variables', () => {
  it.each([
    ['CP-V-1 several in one value', '#{Build.TAG}-#{codepipeline.PipelineExecutionId}', 'v1-e1'],
    ['CP-V-1 what a value holds is not read again', '#{Build.tricky}', '#{Build.TAG} $& $1'],
    ['CP-V-7 an empty value', '[#{Build.EMPTY}]', '[]'],
    ['CP-V-1 other text stays', '#{Build} $TAG ${Build.TAG}', '#{Build} $TAG ${Build.TAG}'],
  ])('%s', (_name, text, resolved) => {
    expect(resolveVariables({ Key: text }, namespaces, 'Deploy')).toEqual({ ok: true, resolved: { Key: resolved } });
  });

  it.each([
    '#{Build.tag}',
    '#{build.TAG}',
    '#{Nobody.TAG}',
    '#{Build.constructor}',
    '#{toString.name}',
    '#{Build.tag} #{Build.TAG}',
  ])('CP-V-6, CP-V-7: %s is not there, so the action fails with the text of the service', (text) => {
    const message =
      'An action in this pipeline failed because one or more variables could not be resolved: Action name=Deploy. ' +
      'This can result when a variable is referenced that does not exist. Validate the configuration for this action.';
    expect(resolveVariables({ A: 'x', B: text }, namespaces, 'Deploy')).toEqual({ ok: false, message });
    expect(resolveTexts(['x', text], namespaces, 'Deploy')).toEqual({ ok: false, message });
  });

  it('SEC-D-02: what a person wrote is one text of a JSON list, whatever it holds', () => {
    const title = 'one\n"},{"name":"TOKEN","value":"prod/key","type":"SECRETS_MANAGER"},{"name":"X","value":"\\';
    const known = { Src: { Title: title, List: '[{"name":"A","value":"1"}]' } };
    const list = '[{"name":"T\\"","value":"[#{Src.Title}]"}]';
    for (const key of ['EnvironmentVariables', 'Variables', 'SourceRevisions']) {
      const { resolved = {} } = resolveVariables({ [key]: list }, known, 'Build') as {
        resolved?: Record<string, string>;
      };
      expect(JSON.parse(resolved[key] ?? '')).toEqual([{ name: 'T"', value: `[${title}]` }]);
    }
    expect(resolveVariables({ EnvironmentVariables: '#{Src.List}' }, known, 'Build')).toEqual({
      ok: true,
      resolved: { EnvironmentVariables: known.Src.List },
    });
    expect(resolveVariables({ UserParameters: list }, known, 'Call')).toMatchObject({
      resolved: { UserParameters: list.replace('#{Src.Title}', title) },
    });
  });

  it('CP-V-5: commands are resolved too', () => {
    expect(resolveTexts(['echo #{Build.TAG}', 'ls'], namespaces, 'Run')).toEqual({
      ok: true,
      resolved: ['echo v1', 'ls'],
    });
  });

  it('finds references and what only looks like one', () => {
    expect(variableReferences('a #{x.y} #{bad} #{p-1.q@2}')).toEqual([
      { text: '#{x.y}', namespace: 'x', key: 'y' },
      { text: '#{p-1.q@2}', namespace: 'p-1', key: 'q@2' },
    ]);
    expect(malformedReferences('a #{x.y} #{bad} #{open')).toEqual(['#{bad}', '#{open']);
  });
});
