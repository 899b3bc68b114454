import { readFileSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, it } from 'vitest';
import { rankedTail } from '../../src/main/told.ts';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import { readFindings } from '../../src/providers/findings-file.ts';
import { readTail } from '../../src/providers/read-log.ts';
import { unzip } from '../../src/providers/zip.ts';
import { renderExecution } from '../../src/render/check-run.ts';
import { createTextCleaner } from '../../src/web/visible-text.ts';
import { availableRungs, temporaryDirectory } from '../buildspec/rungs.ts';
import { action as actionRun, execution, failedUnit, find, ran, source, view } from '../render/views.ts';
import { anAction, artifact, finish } from './action.ts';
import { buildsOn } from './build-provider.ts';
import { zipOf } from './zip-of.ts';

const root = await temporaryDirectory();
const home = join(root, 'home');
const artifacts = openArtifactStore(home);

/** What a build prints that wants to be obeyed, hidden, fetched or announced. */
const lines = [
  '😀'.repeat(250_000),
  'before\rafter',
  '\u001B[31mred\u001B[0m \u001B]8;;https://evil.example\u0007link\u001B]8;;\u0007',
  'left\u202Eright zero\u200Bwidth nul\0end',
  '@acme/all \\@bob &#64;bob #123 GH-1 1f0c9c0a6d9f https://evil.example',
  `${'`'.repeat(50)} ~~~ </details>`,
  `/approve ${'a'.repeat(40)}`,
  '<script>alert(1)</script> <img src=//evil.example/x> ![x](https://evil.example/x) [x](javascript:alert(1))',
];
const notText = Buffer.from([0x66, 0xff, 0xfe, 0x6f, 0x0a]);
const printed = Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), notText]);
const warnings = `seq 10000 | sed 's|.*|a.c:&:1: error: @acme/all <img>|'`;

/** What a build leaves for its artifact: only the regular files below the root may get into it. */
const leaves = `mkdir -p out/.git/hooks out/dir; echo hook > out/.git/hooks/post-checkout; mkfifo out/pipe; echo kept > out/dir/kept
  ln -s /etc/passwd out/stolen; ln -s ../../../../../../etc out/dir/up; ln -s dir/kept out/inside; cp /bin/true out/tool; chmod 4755 out/tool
  python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("out/sock")'`;

describe.each(await availableRungs())('on the rung $level a hostile build', (isolation) => {
  const provider = buildsOn(isolation, home, artifacts);
  const build = async (command: string, more = '', outputs: Parameters<typeof anAction>[2] = {}) => {
    const input = artifact('Source');
    const buildspec = `version: 0.2\nphases: {build: {commands: [${JSON.stringify(command)}]}}\n${more}`;
    const files = { 'buildspec.yml': buildspec, 'a.c': 'int a;\n', printed: printed.toString('base64') };
    await artifacts.put(input.location, await zipOf(files));
    const configuration = { ProjectName: 'hostile' };
    const action = anAction(home, provider, { ...outputs, inputs: [input], configuration });
    return { action, report: await finish(provider, action) };
  };

  it('prints text that GitHub, a page and a terminal show and do not obey (SEC-D-04, SEC-D-05, SEC-D-06, SEC-D-07, SEC-D-08, SEC-D-10)', async () => {
    const { action, report } = await build('base64 -d printed; exit 1');
    expect(report.kind).toBe('failed');
    const log = readFileSync(action.logFile);
    expect(log.includes(printed), 'the bytes are kept as they came').toBe(true);
    const run = execution([source, ran('Test', [failedUnit, actionRun('Lint')])]);
    const tail = rankedTail(await readTail(action.logFile, 2_000), 50);
    const check = find(renderExecution(view(run, { logTails: { [failedUnit.id]: tail } })), 'Test');
    const text = check.text ?? '';
    expect(text.length).toBeLessThanOrEqual(65_535);
    expect(text.isWellFormed()).toBe(true);
    const nodes = fromMarkdown(text).children;
    expect(nodes.map(({ type }) => type).filter((type) => !['heading', 'paragraph'].includes(type))).toEqual(['code']);
    const shown = JSON.stringify(nodes.at(-1));
    for (const word of [
      'link',
      '<U+202E>',
      '<U+200B>',
      '@acme/all',
      '</details>',
      '/approve aaaa',
      '<script>',
      '(cut)',
    ])
      expect(shown).toContain(word);
    expect(JSON.stringify(nodes.slice(0, -1))).not.toMatch(/acme|evil|approve|script/);
    const page = createTextCleaner();
    // eslint-disable-next-line no-control-regex -- these are what must be gone
    expect(page.push(log) + page.flush()).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B\u202A-\u202E]/);
  });

  it('makes no more annotations than GitHub takes, and its hostile words stay words (SEC-D-14)', async () => {
    const { action, report } = await build(`${warnings}; exit 1`);
    expect(report.kind).toBe('failed');
    const { findings } = await readFindings(home, action.execution, action.actionExecution);
    expect(findings).toHaveLength(50);
    expect(findings[0]).toMatchObject({ path: 'a.c', message: '@acme/all <img>' });
  });

  it('leaves pipes, sockets, links out, hooks and setuid, of which no artifact holds any (SEC-D-15)', async () => {
    const output = artifact('Out');
    const { report } = await build(leaves, 'artifacts: {files: ["**/*"], base-directory: out}\n', {
      outputs: [output],
    });
    expect(report.kind).toBe('succeeded');
    const directory = join(root, `unpacked-${isolation.level}`);
    await mkdir(directory);
    await unzip({ file: (await artifacts.get(output.location))!.file }, directory);
    expect((await readdir(directory, { recursive: true })).sort()).toEqual(['dir', 'dir/kept', 'inside', 'tool']);
    expect(await readFile(join(directory, 'inside'), 'utf8')).toBe('kept\n');
    expect((await lstat(join(directory, 'inside'))).isFile()).toBe(true);
    expect((await lstat(join(directory, 'tool'))).mode & 0o7777).toBe(0o755);
  });
});
