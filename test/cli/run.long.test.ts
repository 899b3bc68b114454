import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { processesWith, startPenstock } from './run-command.ts';

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
    expect(all).toContain('Answer y to approve it or n to reject it');
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

/** A PATH with these programs alone decides which rung of the isolation ladder is found. */
function pathWith(name: string, programs: readonly string[]): string {
  const directory = join(project, name);
  mkdirSync(directory);
  for (const program of programs) {
    const found = execFileSync('sh', ['-c', `command -v ${program} || true`], { encoding: 'utf8' }).trim();
    if (found !== '') symlinkSync(found, join(directory, program));
  }
  symlinkSync(process.execPath, join(directory, 'node'));
  return directory;
}

const rungs: readonly [rung: string, programs: readonly string[]][] = [
  ['bubblewrap', ['bwrap']],
  ['namespaces made by unshare', ['unshare', 'setpriv']],
  ['plain process groups', []],
];

test.for(
  rungs.flatMap(([rung, programs]) => (['SIGINT', 'SIGTERM'] as const).map((signal) => ({ rung, programs, signal }))),
)(
  '$signal in $rung ends a build that ignores it and has left its session (SEC-C-13)',
  async ({ rung, programs, signal }, { skip }) => {
    const name = `rung-${rung.slice(0, 4)}-${signal}`;
    const env = {
      PATH: pathWith(name, ['sh', 'git', 'prlimit', 'env', ...programs]),
      PENSTOCK_HOME: join(project, 'home'),
    };
    const seconds = String(7_000_000 + process.pid * 10 + rungs.findIndex(([known]) => known === rung));
    const tree = join(project, `tree-${name}`);
    mkdirSync(tree);
    writeFileSync(
      join(tree, 'buildspec.yml'),
      `version: 0.2\nphases:\n  build:\n    commands:\n      - trap '' INT TERM; setsid sleep ${seconds} & sleep ${seconds}\n`,
    );
    const running = startPenstock(['run', join(project, 'pipeline.json'), '--source', tree], env, project);
    await running.printed(/Running command trap|Commands run/);
    const [, found = ''] = await running.printed(/Commands run (?:in|as) ([a-z ]+)/);
    if (!found.startsWith(rung)) {
      await running.stop();
      console.log(`skipped: ${signal} in ${rung} (this machine gives ${found.trim()})`);
      skip();
    }
    await running.printed(/Running command trap/);
    await expect.poll(() => processesWith(`sleep\0${seconds}`).length, { timeout: 20_000 }).toBeGreaterThan(1);
    const gone = once(running.child, 'exit');
    running.child.kill(signal);
    expect(await gone).toEqual([signal === 'SIGINT' ? 130 : 143, null]);
    expect(processesWith(`sleep\0${seconds}`)).toEqual([]);
  },
);

test('a secret that was not given is asked for by the option that gives it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-run-secret-'));
  cpSync('examples/signed-release', folder, { recursive: true });
  const env = { PATH: process.env['PATH'], PENSTOCK_HOME: join(folder, '.penstock') };
  const ran = spawnSync(process.execPath, [cli, 'run', 'pipeline.yml'], { cwd: folder, env, encoding: 'utf8' });
  rmSync(folder, { recursive: true, force: true });
  expect(ran.status).toBe(1);
  expect(ran.stdout).toContain('Give it with --secret /release/signing-key=VARIABLE');
});

test('a configuration that cannot be read is told with its line, and nothing is built without its projects', () => {
  const broken = join(project, 'broken');
  cpSync('examples/static-site', broken, { recursive: true });
  writeFileSync(join(broken, '.github/penstock.yml'), 'pipelines: {}\n x: [\n');
  const env = { PATH: process.env['PATH'], PENSTOCK_HOME: join(broken, '.penstock') };
  const { status, stdout } = spawnSync(process.execPath, [cli, 'run', 'pipeline.json'], {
    cwd: broken,
    env,
    encoding: 'utf8',
  });
  expect(stdout).toContain('What its project means cannot be read. .github/penstock.yml:2:');
  expect(stdout).not.toContain('Entering phase');
  expect(status).toBe(1);
});
