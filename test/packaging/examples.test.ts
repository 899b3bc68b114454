import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readDefinition } from '../../src/pipeline/read-definition.ts';
import { root } from './checkout.ts';

let copy: string;
beforeEach(() => void (copy = mkdtempSync(join(tmpdir(), 'penstock-example-'))));
afterEach(() => rmSync(copy, { recursive: true }));

/** Runs the commands of one action in a copy of the example, as the Commands provider would: in one shell. */
function runAction(file: string, name: string) {
  const read = readDefinition(readFileSync(join(copy, file), 'utf8'), file);
  if (!read.ok) throw new Error(`${file} has problems`);
  const action = read.definition.stages.flatMap((stage) => stage.actions).find((candidate) => candidate.name === name);
  const script = ['set -e', ...(action?.commands ?? ['exit 99'])].join('\n');
  const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`, COMMIT_ID: 'a'.repeat(40) };
  const { status, stdout } = spawnSync('sh', ['-c', script], { cwd: copy, env, encoding: 'utf8' });
  return { status, stdout };
}

test.each([
  ['web', 'ci/web.pipeline.json', 'unit'],
  ['web', 'ci/web.pipeline.json', 'lint'],
  ['library', 'ci/release.pipeline.yml', 'unit'],
  ['monorepo', 'ci/api.pipeline.json', 'unit'],
  ['monorepo', 'ci/worker.pipeline.json', 'syntax'],
  ['monorepo', 'ci/worker.pipeline.json', 'behaviour'],
])('example %s: the commands of %s, action %s, pass', (example, file, action) => {
  cpSync(join(root, 'examples', example), copy, { recursive: true });
  expect(runAction(file, action)).toMatchObject({ status: 0 });
});

test.each([
  [
    'web',
    'site/hours.js',
    "closes: '20:00'",
    "closes: '21:00'",
    'ci/web.pipeline.json',
    'unit',
    'Friday 06:30 to 21:00',
  ],
  ['web', 'site/index.html', 'style.css', 'styles.css', 'ci/web.pipeline.json', 'lint', 'links to styles.css'],
  ['library', 'lib/slug.sh', "'[:upper:]' '[:lower:]'", "'a' 'a'", 'ci/release.pipeline.yml', 'unit', 'WRONG'],
  ['monorepo', 'services/api/price.js', 'Math.floor', 'Math.ceil', 'ci/api.pipeline.json', 'unit', 'not equal|!=='],
  [
    'monorepo',
    'services/worker/worker.sh',
    '+= $2',
    '= $2',
    'ci/worker.pipeline.json',
    'behaviour',
    'totals are wrong',
  ],
])('example %s: a mistake in %s (%s becomes %s) is found', (example, changed, from, to, file, action, said) => {
  cpSync(join(root, 'examples', example), copy, { recursive: true });
  const text = readFileSync(join(copy, changed), 'utf8');
  expect(text).toContain(from);
  writeFileSync(join(copy, changed), text.replace(from, to));
  const { status, stdout } = runAction(file, action);
  expect([status === 0, stdout]).toEqual([false, expect.stringMatching(said)]);
});
