import { readFileSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import { createBackground } from '../../src/providers/background.ts';
import { commands } from '../../src/providers/commands.ts';
import type { ActionReport } from '../../src/providers/provider.ts';
import { availableRungs, temporaryDirectory } from '../buildspec/rungs.ts';
import { anAction, artifact, finish, type ActionChange } from './action.ts';
import { zipOf } from './zip-of.ts';

const root = await temporaryDirectory();
const home = join(root, 'home');
const artifacts = openArtifactStore(home);
const contained = (await availableRungs()).filter((isolation) => isolation.contained);

interface Ran {
  readonly report: ActionReport;
  readonly log: string;
}

async function hostile(
  isolation: (typeof contained)[number],
  lines: readonly string[],
  change: ActionChange = {},
): Promise<Ran> {
  const provider = commands({ home, isolation, network: 'none', artifacts, background: createBackground(home, 4) });
  const input = artifact('Source');
  await artifacts.put(input.location, await zipOf({ 'a.txt': 'a' }));
  const declaration = { commands: lines, ...change.declaration };
  const action = anAction(home, provider, { ...change, inputs: [input], declaration });
  const report = await finish(provider, action);
  return { report, log: readFileSync(action.logFile, 'utf8') };
}

/** A directory that no build may reach, with a file in it. */
async function outsideOf(isolation: (typeof contained)[number], name: string): Promise<string> {
  const outside = join(root, `${name}-${isolation.level}`);
  await mkdir(outside);
  await writeFile(join(outside, 'secret'), 'LEAKED=canary-of-the-server\0');
  return outside;
}

describe.each(contained)('on the rung $level the server is not led out of a work area (SEC-C-12)', (isolation) => {
  it('to write, by links among the files that its commands come in', async () => {
    const outside = await outsideOf(isolation, 'written');
    const plant = `for n in 2 3 4 match; do rm -rf "$PENSTOCK_CONTROL/$n"; ln -s ${outside}/new "$PENSTOCK_CONTROL/c$n"; ln -s ${outside} "$PENSTOCK_CONTROL/$n"; done; true`;
    const { report } = await hostile(isolation, [plant, 'echo evil']);
    expect(report.kind).toBe('succeeded');
    expect(readdirSync(outside)).toEqual(['secret']);
  });

  it.each([
    ['a link', (outside: string) => `ln -s ${outside}/secret`],
    ['a pipe', () => 'fifo() { mkfifo "$1" && { cat "$1" > /dev/null & }; }; fifo'],
    ['a directory', () => 'mkdir'],
  ])('to read, by %s in place of the values that a build gives', async (name, make) => {
    const outside = await outsideOf(isolation, `read-${name.slice(2)}`);
    const places = '"$PENSTOCK_CONTROL/values" "$PENSTOCK_CONTROL/kept/values"';
    const plant = `for v in ${places}; do rm -f "$v"; ${make(outside)} "$v"; done; true`;
    const declaration = { outputVariables: ['LEAKED', 'MINE'] };
    const { report } = await hostile(isolation, [`MINE=mine; ${plant}`], { declaration });
    expect(report).toMatchObject({ kind: 'succeeded', outputVariables: { LEAKED: '' } });
  });

  it('to pack, by a link in place of the source', async () => {
    const outside = await outsideOf(isolation, 'packed');
    const output = artifact('Out');
    const { report } = await hostile(isolation, [`cd .. && mv 0 moved && ln -s ${outside} 0`], { outputs: [output] });
    expect(report).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('the place of the source directory') },
    });
    expect(await artifacts.get(output.location)).toBeNull();
  });
});
