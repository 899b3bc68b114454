import { execFile, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';

// Each example is copied out of this repository and run by `penstock run`, as it is and with one mistake in it.

const root = join(import.meta.dirname, '..');
const home = mkdtempSync(join(tmpdir(), 'penstock-examples-home-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

let copy: string;
beforeEach(() => void (copy = mkdtempSync(join(tmpdir(), 'penstock-example-'))));
afterEach(() => rmSync(copy, { recursive: true, force: true }));

interface Example {
  readonly folder: string;
  readonly file: string;
  readonly needs: readonly string[];
  readonly args?: readonly string[];
  readonly artifacts: readonly string[];
  readonly objects?: readonly string[];
  /** Tests that its report counts. */
  readonly tests?: number;
  /** A file, a text in it, what it becomes, and what the log then says. */
  readonly mistake: readonly [file: string, from: string, to: string, said: RegExp];
}

const examples: readonly Example[] = [
  {
    folder: 'node-package',
    file: 'pipeline.yml',
    needs: ['node', 'npm'],
    artifacts: ['SourceOutput', 'Package'],
    tests: 4,
    mistake: ['spans.js', 'h: 3_600', 'h: 3_000', /units add up/],
  },
  {
    folder: 'python-package',
    file: 'pipeline.yml',
    needs: ['python3'],
    artifacts: ['SourceOutput', 'Program'],
    objects: ['s3://acme-tides/tides-0.3.1.zip'],
    mistake: ['tides/__init__.py', 'passed = -(', 'passed = (', /FAILED \(failures=\d\)/],
  },
  {
    folder: 'c-program',
    file: 'pipeline.json',
    needs: ['make', 'cc'],
    artifacts: ['SourceOutput', 'Program'],
    mistake: ['rle.c', 'previous = next;', 'previous == next;', /rle\.c:\d+:\d+: error: /],
  },
  {
    folder: 'static-site',
    file: 'pipeline.json',
    needs: ['sh'],
    args: ['--approve-all'],
    artifacts: ['SourceOutput', 'Site'],
    objects: ['index.html', 'rules.html', 'style.css'].map((name) => `s3://allotments.example.org/${name}`),
    mistake: ['pages/index.html', 'rules.html', 'rule.html', /links to rule\.html, which does not exist/],
  },
  {
    folder: 'parallel-builds',
    file: 'pipeline.yml',
    needs: ['node', 'npm', 'awk', 'sha256sum'],
    artifacts: ['SourceOutput', 'Api', 'Contract', 'Labels', 'Bundle'],
    mistake: ['labels/label.sh', 'width + 2', 'width + 1', /label\.test\.sh:9: the label looks different/],
  },
  {
    folder: 'signed-release',
    file: 'pipeline.yml',
    needs: ['node'],
    args: ['--secret', '/release/signing-key=SIGNING_KEY'],
    artifacts: ['SourceOutput', 'Signed'],
    mistake: ['sign.mjs', 'process.env.SIGNING_KEY', 'process.env.SIGN_KEY', /SIGNING_KEY is empty/],
  },
  {
    folder: 'web',
    file: 'ci/web.pipeline.json',
    needs: ['node'],
    args: ['--approve-all'],
    artifacts: ['SourceOutput', 'Site'],
    objects: ['hours.js', 'index.html', 'main.js', 'style.css', 'version.json'].map(
      (name) => `s3://acme-pool-site/site/${name}`,
    ),
    mistake: ['site/index.html', 'style.css', 'styles.css', /links to styles\.css/],
  },
  {
    folder: 'library',
    file: 'ci/release.pipeline.yml',
    needs: ['sh'],
    artifacts: ['SourceOutput', 'Package'],
    objects: [`s3://acme-releases/slug/${'0'.repeat(40)}.zip`],
    mistake: ['lib/slug.sh', "'[:upper:]' '[:lower:]'", "'a' 'a'", /WRONG/],
  },
  {
    folder: 'monorepo',
    file: 'ci/worker.pipeline.json',
    needs: ['sh', 'awk'],
    args: ['--approve-all'],
    artifacts: ['SourceOutput', 'Worker'],
    objects: ['worker.sh', 'worker.test.sh'].map((name) => `s3://acme-worker/services/worker/${name}`),
    mistake: ['services/worker/worker.sh', '+= $2', '= $2', /totals are wrong/],
  },
];

// Builds see the tools of the system and of node, not everything on one's own PATH.
const buildPath = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
const key = 'Canary-51ab-signing-key';

function run({ file, args = [] }: Example): Promise<{ code: number; out: string; err: string }> {
  const cli = join(root, 'src/cli.ts');
  const env = { PATH: process.env['PATH'], PENSTOCK_HOME: home, SIGNING_KEY: key };
  return new Promise((resolve) => {
    const argv = [cli, 'run', file, '--json', ...args];
    execFile(process.execPath, argv, { cwd: copy, env, maxBuffer: 64 * 1024 ** 2 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

describe.each(examples)('example $folder', (example) => {
  const { folder, needs, artifacts, objects = [], tests, mistake } = example;
  const absent = needs.filter((name) => {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { env: { PATH: buildPath } });
    return found.status !== 0;
  });
  if (absent.length > 0) console.log(`skipped: example ${folder} (${absent.join(', ')} is not installed)`);
  const testHere = test.skipIf(absent.length > 0);

  beforeEach(() => cpSync(join(root, 'examples', folder), copy, { recursive: true }));

  testHere('is green, and gives what its pipeline promises', async () => {
    const ran = await run(example);
    expect([ran.code, ran.err], ran.out).toEqual([0, '']);
    const end = JSON.parse(ran.out.trimEnd().split('\n').at(-1) ?? '') as Record<string, { name: string }[]>;
    expect(end).toMatchObject({ event: 'end', status: 'Succeeded' });
    expect(end['artifacts']?.map(({ name }) => name)).toEqual(artifacts);
    expect(end['objects']?.map(({ name }) => name)).toEqual(objects);
    if (tests !== undefined) {
      const counts = { total: tests, passed: tests, failed: 0 };
      expect(end['findings']).toEqual([expect.objectContaining({ reports: [expect.objectContaining(counts)] })]);
    }
    expect(ran.out).not.toContain(key);
  });

  testHere(`finds a mistake in ${mistake[0]}`, async () => {
    const [file, from, to, said] = mistake;
    const text = readFileSync(join(copy, file), 'utf8');
    expect(text).toContain(from);
    writeFileSync(join(copy, file), text.replace(from, to));
    const ran = await run(example);
    expect([ran.code, ran.out]).toEqual([1, expect.stringMatching(said)]);
    expect(ran.out).toMatch(/"event":"end".*"status":"Failed"/);
    if (folder === 'c-program') expect(ran.out).toMatch(/"findings":\[\{"path":"rle\.c","line":19,"column":\d+,/);
  });
});
