import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import { readFindings } from '../../src/providers/findings-file.ts';
import { availableRungs, temporaryDirectory } from '../buildspec/rungs.ts';
import { anAction, artifact, finish } from './action.ts';
import { buildsOn } from './build-provider.ts';
import { zipOf } from './zip-of.ts';

const root = await temporaryDirectory();
const home = join(root, 'home');
const artifacts = openArtifactStore(home);
const rungs = await availableRungs();

interface Project {
  readonly name: string;
  readonly needs: string;
  readonly files: Readonly<Record<string, string>>;
  readonly printed: RegExp;
}

/** Ordinary projects with ordinary buildspecs; each has one mistake that its own tools report. */
const projects: readonly (Project & { readonly finding: object })[] = [
  {
    name: 'a Node package with npm',
    needs: 'npm',
    files: {
      'buildspec.yml': `version: 0.2
phases:
  install: {commands: [npm install --no-audit --no-fund --offline]}
  build: {commands: [npm test]}
reports: {unit: {files: [report.xml]}}
`,
      'package.json':
        '{"name":"p","version":"1.0.0","private":true,"scripts":{"test":"node --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit --test-reporter-destination=report.xml"}}',
      'sum.test.js': `const test = require('node:test');\nconst assert = require('node:assert');\ntest('fine', () => {});\ntest('adds', () => {\n  assert.strictEqual(1 + 1, 3);\n});\n`,
    },
    printed: /adds/,
    finding: { path: 'sum.test.js', line: 5, level: 'failure', title: expect.stringContaining('adds') },
  },
  {
    name: 'Python with unittest',
    needs: 'python3',
    files: {
      'buildspec.yml': 'version: 0.2\nphases: {build: {commands: [python3 -m unittest]}}\n',
      'test_sum.py':
        'import unittest\n\nclass TestSum(unittest.TestCase):\n    def test_adds(self):\n        self.assertEqual(1 + 1, 3)\n',
    },
    printed: /AssertionError: 2 != 3/,
    finding: { path: 'test_sum.py', line: 5, level: 'failure', message: 'AssertionError: 2 != 3' },
  },
  {
    name: 'a C program with make',
    needs: 'gcc',
    files: {
      'buildspec.yml': 'version: 0.2\nphases: {build: {commands: [make]}}\n',
      Makefile: 'main: main.c\n\tcc -o main main.c\n',
      'main.c': 'int main(void) {\n  return missing;\n}\n',
    },
    printed: /main\.c:2:10: error/,
    finding: {
      path: 'main.c',
      line: 2,
      column: 10,
      level: 'failure',
      message: expect.stringContaining('undeclared (first use'),
    },
  },
];

function has(tool: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v "$1"`, 'sh', tool], { env: { PATH: '/usr/local/bin:/usr/bin:/bin' } });
    return true;
  } catch {
    console.warn(`skipped: ${tool} is not on this machine.`);
    return false;
  }
}

describe.each(rungs)('ordinary projects on the rung $level', (isolation) => {
  const provider = buildsOn(isolation, home, artifacts);

  it.each(projects.filter(({ needs }) => has(needs)))(
    '$name fails where its own tools say',
    async ({ files, printed, finding }) => {
      const input = artifact('Source');
      await artifacts.put(input.location, await zipOf(files));
      const action = anAction(home, provider, { inputs: [input], configuration: { ProjectName: 'p' } });
      const report = await finish(provider, action);
      const log = readFileSync(action.logFile, 'utf8');
      expect(report, log).toMatchObject({
        kind: 'failed',
        error: { message: expect.stringContaining('BUILD: Error while executing command') },
      });
      expect(log).toMatch(printed);
      const { findings } = await readFindings(home, action.execution, action.actionExecution);
      expect(findings, log).toContainEqual(expect.objectContaining(finding));
    },
  );
});
