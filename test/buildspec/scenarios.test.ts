import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Isolation } from '../../src/buildspec/isolation.ts';
import type { PhaseRecord } from '../../src/buildspec/build-record.ts';
import { readBuildspec } from '../../src/buildspec/read-buildspec.ts';
import { runPhases, type BuildHost } from '../../src/buildspec/run-phases.ts';
import { openShellSession } from '../../src/buildspec/shell-session.ts';
import { makeBox, rung, temporaryDirectory } from './rungs.ts';

/**
 * A scenario file: `title` and `rules` (what it proves), `----`, a buildspec, `----`, what came of it: the phases, what
 * commands wrote into the file `$RAN`, whether artifacts are uploaded, and the exported variables.
 */
const folder = join(import.meta.dirname, 'scenarios');
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
const root = await temporaryDirectory();
const isolation = (await rung('process')) as Isolation;

async function play(name: string, buildspec: string): Promise<string> {
  const read = readBuildspec(buildspec, 'buildspec.yml');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const box = await makeBox(root, name);
  const ran = join(box.work, 'ran');
  await writeFile(ran, '');
  let printed = '';
  const host: BuildHost = {
    openSession: (restore) =>
      openShellSession({
        isolation,
        command: {
          cwd: box.work,
          writable: [box.work],
          home: box.home,
          temporary: box.temporary,
          env: { ...read.buildspec.env.variables, RAN: ran },
          network: 'host',
        },
        shell: read.buildspec.env.shell,
        control: box.control,
        marker: name,
        output: (chunk) => void (printed += chunk.toString()),
        deadlineMs: 10_000,
        restore,
      }),
    say: () => {},
    stopped: () => false,
    now: () => new Date(0),
    entered: () => {},
    left: () => {},
    forgetOutput: () => void (printed = ''),
    outputMatches: (pattern) => Promise.resolve(new RegExp(pattern).test(printed)),
  };
  const result = await runPhases(read.buildspec, host);
  const exported = read.buildspec.env.exportedVariables.map((key) => ` ${key}=${result.exported[key] ?? ''}`);
  return [
    ...result.phases.map(describePhase),
    `ran: ${readFileSync(ran, 'utf8').split('\n').join(' ').trim() || 'nothing'}`,
    `artifacts: ${{ done: 'uploaded', 'upload-skipped': 'not tried', cut: 'not tried' }[result.end]}`,
    `build: ${result.status}`,
    ...(exported.length === 0 ? [] : [`exported:${exported.join('')}`]),
    '',
  ].join('\n');
}

function describePhase({ phaseType, phaseStatus, attempts, contexts }: PhaseRecord): string {
  const again = attempts > 1 ? ` on attempt ${attempts}` : '';
  return `${phaseType} ${phaseStatus}${again}${contexts.map(({ message }) => `: ${message}`).join('')}`;
}

describe('orders of phases, on-failure and finally (CP-B-1 to CP-B-4)', () => {
  it.each(files)('%s', async (name) => {
    const [head = '', buildspec = '', expected = ''] = readFileSync(join(folder, name), 'utf8').split(/^----\n/m);
    const { rules } = parse(head) as { rules: readonly string[] };
    expect(rules.length).toBeGreaterThan(0);
    expect(await play(name, buildspec)).toBe(expected);
  });
});
