import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readDefinition } from '../../src/pipeline/read-definition.ts';
import { declarationOf } from './pipelines.ts';
import { randomPipelines } from './random-pipelines.ts';

/** The text comes from pull requests: whatever it is, it is read or complained about, at a place that exists. */
const declarations = Object.values(randomPipelines).map((spec) => ({
  roleArn: 'arn:aws:iam::111122223333:role/pipe',
  artifactStore: { type: 'S3', location: 'bucket' },
  ...declarationOf(spec),
}));

const strange = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    '',
    '#{',
    '#{a.b}',
    '__proto__',
    'constructor',
    '{',
    '[!',
    null,
    -1,
    1e99,
    [],
    {},
    [[]],
    '!Ref x',
    '\u0000',
  ),
);

describe('the reader takes any text', () => {
  it('with a value replaced, wherever it is', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...declarations),
        fc.array(fc.nat(20), { maxLength: 9 }),
        strange,
        fc.boolean(),
        check,
      ),
      { numRuns: 150, seed: 11 },
    );
    function check(declaration: object, path: readonly number[], value: unknown, asYaml: boolean): void {
      const mutated = replaceAt(structuredClone(declaration), path, value);
      expectTold(asYaml ? stringify(mutated) : JSON.stringify(mutated));
    }
  });

  it('cut, doubled and stirred', () => {
    const text = stringify(declarations[3]);
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(text.length), fc.string({ maxLength: 6 }), (from, to, noise) => {
        expectTold(text.slice(0, from) + noise + text.slice(to));
      }),
      { numRuns: 150, seed: 12 },
    );
  });

  it('of any characters', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), expectTold), { numRuns: 150, seed: 13 });
  });
});

function expectTold(text: string): void {
  const read = readDefinition(text, 'p.yml');
  const lines = text.split(/\r\n|\n/).length;
  const told = read.ok ? read.warnings : read.problems;
  if (!read.ok) expect(told.length).toBeGreaterThan(0);
  for (const problem of told) {
    expect(problem.line, problem.message).toBeGreaterThanOrEqual(1);
    expect(problem.line, problem.message).toBeLessThanOrEqual(lines);
    expect(problem.column, problem.message).toBeGreaterThanOrEqual(1);
    expect(problem.message).not.toBe('');
  }
}

/** Numbers choose a key at each level. */
function replaceAt(holder: unknown, [step, ...rest]: readonly number[], value: unknown): unknown {
  if (step === undefined || typeof holder !== 'object' || holder === null) return value;
  const keys = Object.keys(holder);
  const key = keys[step % Math.max(1, keys.length)];
  if (key === undefined) return value;
  const inner = Object.entries(holder).find(([name]) => name === key)?.[1] as unknown;
  const replaced = replaceAt(inner, rest, value);
  if (Array.isArray(holder)) return holder.map((item: unknown, index) => (String(index) === key ? replaced : item));
  return { ...holder, [key]: replaced };
}
