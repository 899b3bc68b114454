import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const file = join(import.meta.dirname, '../../deploy/aws/penstock.yml');
const run = promisify(execFile);
const linter = await run('cfn-lint', ['--version']).catch(() => undefined);
if (!linter) console.log('skipped: deploy/aws/penstock.yml is not linted, cfn-lint is not here (pip install cfn-lint)');

test.skipIf(!linter)('cfn-lint finds nothing in the stack of deploy/aws', async () => {
  const { stdout } = await run('cfn-lint', ['--include-checks', 'I', '--', file]).catch((error: unknown) => ({
    stdout: (error as { stdout?: string }).stdout || String(error),
  }));
  expect(stdout).toBe('');
});
