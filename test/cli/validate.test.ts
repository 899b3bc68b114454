import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { penstock } from './run-command.ts';

let repository: string;
beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), 'penstock-validate-'));
  cpSync('examples/web', repository, { recursive: true });
});
afterEach(() => rmSync(repository, { recursive: true }));

function edit(file: string, from: string, to: string): void {
  const path = join(repository, file);
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

const pipelineFile = 'ci/web.pipeline.json';

const examples = readdirSync('examples', { withFileTypes: true }).flatMap((entry) =>
  existsSync(join('examples', entry.name, '.github/penstock.yml')) ? [`examples/${entry.name}`] : [],
);

test.each(examples)('%s has no problems', async (folder) => {
  expect(await penstock(['validate', folder])).toEqual({ code: 0, out: 'No problems.\n', err: '' });
});

test('a declaration that feeds an action from nowhere is told with line, column, rule and mend', async () => {
  edit(pipelineFile, '"inputArtifacts": [{ "name": "Site" }]', '"inputArtifacts": [{ "name": "Sites" }]');
  const { code, out } = await penstock(['validate', pipelineFile], { cwd: repository });
  const line =
    readFileSync(join(repository, pipelineFile), 'utf8')
      .split('\n')
      .findIndex((text) => text.includes('"Sites"')) + 1;
  expect(code).toBe(1);
  expect(out).toMatch(new RegExp(String.raw`^ci/web\.pipeline\.json:${line}:\d+: error \[CP-D-8\]: .*Sites`, 'm'));
  expect(out).toMatch(/\n {4}\S.*\n1 error, 0 warnings\.\n$/);
});

test('with --json a machine reads the same', async () => {
  edit(pipelineFile, '"provider": "S3"', '"provider": "S4"');
  const { code, out } = await penstock(['validate', '--json'], { cwd: repository });
  const answer = JSON.parse(out) as { ok: boolean; problems: { file: string; line: number; message: string }[] };
  expect([code, answer.ok]).toEqual([1, false]);
  expect(answer.problems[0]).toMatchObject({ file: pipelineFile, line: expect.any(Number) as number });
});

test('a gate that the pipeline does not have is an error in .github/penstock.yml', async () => {
  edit('.github/penstock.yml', 'Release/Approve', 'Release/Aprove');
  const { code, out } = await penstock(['validate', '.github/penstock.yml'], { cwd: repository });
  expect(code).toBe(1);
  expect(out).toMatch(/^\.github\/penstock\.yml:\d+:\d+: error.*Release\/Aprove/m);
  expect(out).toContain('Release/Approve');
});

test('a server configuration is known by its name', async () => {
  writeFileSync(join(repository, 'penstock.server.yml'), 'repositories: [acme/web]\nembeded: {}\n');
  const { code, out } = await penstock(['validate', 'penstock.server.yml'], { cwd: repository });
  expect([code, out]).toEqual([1, expect.stringMatching(/^penstock\.server\.yml:2:\d+: error.*embeded/m)]);
});

test('several files are checked in one go', async () => {
  edit(pipelineFile, '"provider": "S3"', '"provider": "S4"');
  const { code, out } = await penstock(['validate', join(repository, pipelineFile), 'examples/library']);
  expect([code, out]).toEqual([1, expect.stringContaining('1 error, 0 warnings.')]);
});

test('a declaration may come on the standard input, as `aws codepipeline get-pipeline` prints it', () => {
  edit(pipelineFile, '"provider": "S3"', '"provider": "S4"');
  const input = readFileSync(join(repository, pipelineFile));
  const { status, stdout } = spawnSync(process.execPath, ['src/cli.ts', 'validate', '-'], { input, encoding: 'utf8' });
  expect([status, stdout]).toEqual([1, expect.stringMatching(/^\(stdin\):\d+:\d+: error \[CP-D-12\]: .*'S4'/m)]);
});

test.each([
  ['nowhere.json', 'nowhere.json does not exist'],
  ['site', 'site/.github/penstock.yml does not exist'],
])('validate %s says what is missing', async (path, text) => {
  const { code, out } = await penstock(['validate', path, pipelineFile], { cwd: repository });
  expect([code, out]).toEqual([1, expect.stringContaining(text)]);
  const { out: json } = await penstock(['validate', '--json', path], { cwd: repository });
  expect(JSON.parse(json)).toMatchObject({ ok: false, problems: [{ message: `${text}.` }] });
});
