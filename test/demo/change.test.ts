import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { planChange } from '../../src/demo/change.ts';
import { UserError } from '../../src/errors.ts';

const example = join(import.meta.dirname, '../../examples/web');

async function copyOfExample(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'penstock-change-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  await cp(example, join(parent, 'web'), { recursive: true });
  return join(parent, 'web');
}

async function apply(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
}

function testsOf(folder: string): { status: number | null; output: string } {
  const { status, stdout } = spawnSync(process.execPath, ['--test'], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: dirname(process.execPath) },
  });
  return { status, output: stdout };
}

test("the first commit fails the example's own tests with the complaint, and the fix passes them", async () => {
  const folder = await copyOfExample();
  const { breaking, complaint, fix } = await planChange(example);
  await apply(folder, breaking.files);
  const broken = testsOf(folder);
  expect(broken.status).toBe(1);
  expect(broken.output).toContain(complaint);
  await apply(folder, fix.files);
  expect(testsOf(folder)).toMatchObject({ status: 0 });
});

test('each commit touches one file and nothing but the hours of Sunday', async () => {
  const { breaking, fix, second } = await planChange(example);
  expect([breaking, fix, second].map(({ files }) => Object.keys(files))).toEqual([
    ['site/hours.js'],
    ['site/index.html'],
    ['README.md'],
  ]);
  const before = (await readFile(join(example, 'site/hours.js'), 'utf8')).split('\n');
  const changed = breaking.files['site/hours.js']?.split('\n').filter((line, index) => line !== before[index]);
  expect(changed).toEqual([expect.stringContaining("day: 'Sunday'")]);
});

test('an example without hours for Sunday is named, with what to do', async () => {
  const folder = await copyOfExample();
  await writeFile(join(folder, 'site/hours.js'), 'export const week = [];\n');
  await expect(planChange(folder)).rejects.toThrow(/site\/hours\.js of the example has none.*git checkout/);
});

test('a folder that is no example is named', async () => {
  const problem = planChange(join(tmpdir(), 'penstock-no-such-example'));
  await expect(problem).rejects.toThrow(UserError);
  await expect(problem).rejects.toThrow(/penstock-no-such-example.*site\/hours\.js/);
});
