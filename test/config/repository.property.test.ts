import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRepositoryConfig } from '../../src/config/repository.ts';

const start = `pipelines:
  web:
    definition: ci/web.pipeline.json
    on:
      push: [{ branches: { includes: [main] } }]
    gates:
      Release/Approve: { count: 2, from: { teams: [acme/release] }, expireAfter: 3d }
projects:
  unit: { buildspec: ci/unit.yml, environment: { CI: "true" } }
`;

const snippet = fc.oneof(
  fc.string(),
  fc.constantFrom(
    '&a ',
    '*a',
    '{',
    '}',
    '[',
    ']',
    ': ',
    '\n',
    '  ',
    '- ',
    '? ',
    '!!omap ',
    '| ',
    '#',
    '"',
    "'",
    '<<: ',
    '\t',
    '---\n',
    '~',
  ),
);

test('SEC-D-17 a file with anything anywhere never throws, and each problem can be shown', () => {
  fc.assert(
    fc.property(fc.nat(start.length), fc.nat(20), fc.array(snippet, { maxLength: 6 }), (at, drop, pieces) => {
      const text = start.slice(0, at) + pieces.join('') + start.slice(at + drop);
      const read = readRepositoryConfig(text);
      if (read.ok) return;
      const lines = text.split('\n').length;
      expect(read.problems.length).toBeGreaterThan(0);
      for (const problem of read.problems) {
        expect(problem.message).not.toBe('');
        expect(problem.mend).not.toBe('');
        expect(problem.line).toBeGreaterThanOrEqual(1);
        expect(problem.line).toBeLessThanOrEqual(lines + 1);
        expect(problem.column).toBeGreaterThanOrEqual(1);
      }
    }),
    // A busy machine judges as many as it has time for; the test's own limit is twice that.
    { numRuns: 2000, interruptAfterTimeLimit: 15_000 },
  );
});
