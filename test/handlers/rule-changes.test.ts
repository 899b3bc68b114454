import { expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { ruleChanges } from '../../src/handlers/gate-owners.ts';

const declared = { kind: 'file', path: './ci/pipeline.json', line: 1, column: 1 } as const;

test.each([
  [['src/app.ts', 'docs/penstock.yml'], []],
  [['.github/penstock.yml', 'src/app.ts'], ['.github/penstock.yml']],
  [['ci/pipeline.json'], ['ci/pipeline.json']],
  [
    ['docs/CODEOWNERS', '.github/CODEOWNERS', 'sub/CODEOWNERS'],
    ['.github/CODEOWNERS', 'docs/CODEOWNERS'],
  ],
])('SEC-C-07 of the changed files %j these say what runs or who decides: %j', async (paths, said) => {
  expect(await ruleChanges(declared, () => Promise.resolve({ paths, truncated: false }))).toEqual(said);
});

test('a change that GitHub does not list is not told, and stops nothing', async () => {
  expect(await ruleChanges(declared, () => Promise.reject(new UserError('too large')))).toEqual([]);
});
