import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { cells } from '../../src/demo/typography.ts';

const root = join(import.meta.dirname, '../..');
let scratch = '';

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'penstock-demo-test-'));
  const mine = scratch;
  onTestFinished(() => rm(mine, { recursive: true, force: true }));
});

interface Played {
  readonly code: number | null;
  readonly output: string;
}

/** The command of the user in a process of its own; everything that it makes or starts carries `scratch`. */
async function play(options: { args?: readonly string[]; interruptAt?: readonly string[] } = {}): Promise<Played> {
  const child = spawn(process.execPath, [join(root, 'src/cli.ts'), 'demo', ...(options.args ?? [])], {
    cwd: scratch,
    env: { PATH: process.env['PATH'], TMPDIR: scratch, HOME: scratch },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGTERM'));
  let output = '';
  const interruptAt = [...(options.interruptAt ?? [])];
  const interrupt = () => {
    if (!output.includes(interruptAt[0] ?? '\0')) return;
    interruptAt.shift();
    child.kill('SIGINT');
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      interrupt();
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/** Processes whose command line or environment names the scratch folder. */
async function leftRunning(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const [command, environment] = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(join('/proc', pid, file), 'utf8').catch(() => '')),
    );
    if (command?.includes(scratch) || environment?.includes(scratch)) found.push(`${pid}: ${command}`);
  }
  return found;
}

async function expectNothingLeft(): Promise<void> {
  // The kernel may need a moment to take away what was killed.
  for (let tries = 0; tries < 20 && (await leftRunning()).length > 0; tries += 1) await sleep(100);
  expect(await leftRunning()).toEqual([]);
  expect((await readdir(scratch)).filter((name) => name.startsWith('penstock'))).toEqual([]);
}

async function brokenExample(file: string, from: string, to: string): Promise<string> {
  const folder = join(scratch, 'example');
  await cp(join(root, 'examples/web'), folder, { recursive: true });
  const text = await readFile(join(folder, file), 'utf8');
  expect(text).toContain(from);
  await writeFile(join(folder, file), text.replace(from, to));
  return folder;
}

function unwrapped(output: string): string {
  return output.replaceAll(/\s*\n\s*│?\s*/g, ' ');
}

/** Lines without what differs from run to run: times, commits, and checks that move on unseen on a busy machine. */
function withoutFigures(text: string): readonly string[] {
  const plain = (line: string) => line.replaceAll(/\b[0-9a-f]{7}\b/g, 'commit').replaceAll(/\d+/g, 'N');
  return text.split('\n').map((line) => plain(line).replaceAll(/ +/g, ' ').trim());
}

async function excerptOfReadme(): Promise<readonly string[]> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const [, excerpt = ''] = /^```\n( {3}dev comments:[^]*?)^```/m.exec(readme) ?? [];
  expect(excerpt).not.toBe('');
  return withoutFigures(excerpt).filter((line) => !line.includes('●'));
}

test('the demo plays the whole story, ends with 0 and leaves nothing', async () => {
  const { code, output } = await play();
  expect(output).not.toContain('✗  The demo');
  expect(code, output).toBe(0);
  for (const told of [
    /Isolation +Commands run /,
    /✓ they ran side by side for \d/,
    /✗ web \/ Test +Failed after/,
    /site\/index\.html says/,
    /■ web +Superseded by [0-9a-f]{7}/,
    /‖ web \/ Release +Waiting for approval: comment \/approve Release/,
    /The answer of dev does not count/,
    /site\/version\.json +\d+ bytes/,
    /✓ {2}web \/ Release {2}success/,
    /✓ \d+ writes to GitHub for this green execution, at most 16/,
    /things were checked and hold\. Everything is stopped/,
  ]) {
    expect(output).toMatch(told);
  }
  expect(output.split('\n').filter((line) => cells(line) > 80)).toEqual([]);
  expect(withoutFigures(output)).toEqual(expect.arrayContaining([...(await excerptOfReadme())]));
  await expectNothingLeft();
});

test('a test of the example that fails ends the demo with 1, with the check run and the line of its log', async () => {
  const folder = await brokenExample('site/hours.js', "'Monday', opens: '06:30'", "'Monday', opens: '06:45'");
  const { code, output } = await play({ args: ['--example', folder] });
  expect(code).toBe(1);
  expect(output).toContain('✗  The demo did not go as it should.');
  expect(output).toMatch(/Check run "web \/ Test" says "Failed/);
  expect(unwrapped(output)).toContain('site/hours.js says "Monday 06:45 to 22:00"');
  await expectNothingLeft();
});

test('an action that fails beside the one that should is a deviation, too; --keep leaves the folder and says where it is', async () => {
  const folder = await brokenExample('site/main.js', 'show();', 'show();  ');
  const { code, output } = await play({ args: ['--keep', '--example', folder] });
  expect(code).toBe(1);
  expect(output).toMatch(/Expected +unit Failed, lint Succeeded/);
  expect(output).toContain('site/main.js:14: tab or trailing space');
  const [kept] = (await readdir(scratch)).filter((name) => name.startsWith('penstock-demo-'));
  expect(output).toContain(join(scratch, kept ?? 'nothing was kept'));
  expect((await readdir(join(scratch, kept ?? ''))).toSorted()).toEqual(expect.arrayContaining(['github', 'home']));
  expect(await leftRunning()).toEqual([]);
});

test('Ctrl-C in the middle of a command stops everything and ends with 130', async () => {
  const { code, output } = await play({ interruptAt: ['Running: unit'] });
  expect(output).toContain('SIGINT: stopping everything.');
  expect(code).toBe(130);
  await expectNothingLeft();
});

test('Ctrl-C while the server starts stops that, too', async () => {
  const { code, output } = await play({ interruptAt: ['Starting'] });
  expect(output).toContain('SIGINT: stopping everything.');
  expect(code).toBe(130);
  await expectNothingLeft();
});

test('a folder that is no example of ours is refused before anything is started', async () => {
  const folder = await brokenExample('site/index.html', '<th>Sunday</th>', '<th>Sun</th>');
  const { code, output } = await play({ args: ['--example', folder] });
  expect(code).toBe(1);
  expect(unwrapped(output)).toContain('site/index.html of the example has none in the form that it knows');
  expect(output).not.toContain('penstock serve` at');
  await expectNothingLeft();
});

test('a second Ctrl-C does not wait for anything, and still leaves nothing', async () => {
  const { code, output } = await play({ interruptAt: ['Running: unit', 'stopping everything'] });
  expect(code).toBe(130);
  expect(output).not.toContain('The demo ended');
  await expectNothingLeft();
});
