import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const cli = join(import.meta.dirname, '../../src/cli.ts');
let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'penstock-run-long-'));
  cpSync('examples/static-site', project, { recursive: true });
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** util-linux's `script` gives a program a terminal of its own. */
const hasTerminal = process.platform === 'linux' && works('script', ['--version']);
if (!hasTerminal) console.log('skipped: questions in a terminal (util-linux script is not installed)');

function works(file: string, args: readonly string[]): boolean {
  try {
    execFileSync(file, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Runs the example on a terminal; each answer is typed once its pattern was seen after the one before. */
async function onTerminal(answers: readonly (readonly [RegExp, string])[]): Promise<{ code: number; all: string }> {
  const words = [process.execPath, cli, 'run', 'pipeline.json'].map((word) => `'${word}'`).join(' ');
  const env = { PATH: process.env['PATH'], PENSTOCK_HOME: join(project, '.penstock') };
  const child = spawn('script', ['-qec', words, '/dev/null'], {
    cwd: project,
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = [...answers];
  let all = '';
  let seen = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    all += chunk.toString();
    const [next] = waiting;
    if (next === undefined || !next[0].test(all.slice(seen))) return;
    waiting.shift();
    seen = all.length;
    child.stdin.write(next[1]);
  });
  const [code] = (await once(child, 'exit')) as [number];
  return { code, all };
}

const asked = /Approve Publish\/Approve\? \[y\/n\] $/;

test.runIf(hasTerminal)(
  'an approval is asked for with its words, again when the answer is unclear, and a yes goes on',
  async () => {
    const { code, all } = await onTerminal([
      [asked, 'maybe\n'],
      [asked, 'y\n'],
    ]);
    expect(code).toBe(0);
    expect(all).toContain('The pages will be public.');
    expect(all).toMatch(/Publish\/Approve {2}Succeeded: approved in the terminal/);
    // eslint-disable-next-line no-control-regex -- colours begin with it
    expect(all, 'colours on a terminal').toMatch(/\x1b\[32m✓\x1b\[39m .*allotments/);
  },
);

test.runIf(hasTerminal)('a no ends the run as failed', async () => {
  const { code, all } = await onTerminal([[asked, 'n\n']]);
  expect([code, all]).toEqual([1, expect.stringMatching(/Publish\/Approve {2}Failed: .*rejected in the terminal/)]);
});

test.runIf(hasTerminal)('Ctrl-C at the question is an interruption, not an answer', async () => {
  const { code, all } = await onTerminal([[asked, '\x03']]);
  expect([code, all]).toEqual([130, expect.stringMatching(/allotments.*: Stopped in/)]);
});

test.runIf(hasTerminal)('the end of the input at the question stops the run and says why', async () => {
  const { code, all } = await onTerminal([[asked, '\x04']]);
  expect([code, all]).toEqual([1, expect.stringMatching(/nobody can be asked here: use --approve-all/)]);
});
