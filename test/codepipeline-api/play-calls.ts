import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseScenario } from '../pipeline/scenario.ts';
import { CallPlay } from './call-scenario.ts';
import type { CallBench, Objects } from './call-world.ts';

/** Writes what came out into the files. Read the difference before committing it. */
const update = process.env['SCENARIO_UPDATE'] === '1';
const folder = join(import.meta.dirname, '../pipeline/scenarios/calls');

/** Makes a test of each scenario of calls that is wanted; `long` says why one is left to the long suite. */
export function playCalls(bench: CallBench, isWanted: (file: string, long: string | undefined) => boolean): void {
  for (const file of readdirSync(folder)) {
    const path = join(folder, file);
    const scenario = parseScenario(readFileSync(path, 'utf8'));
    const { objects = {}, long, ...values } = parse(scenario.head) as { objects?: Objects; long?: string };
    if (!isWanted(file, long)) continue;
    test(`${scenario.title} (${scenario.rules.join(', ')})`, async () => {
      await bench.putObjects(objects);
      const result = `${await new CallPlay(bench.world, values).run(scenario.inputs)}\n`;
      if (update) writeFileSync(path, [scenario.head, scenario.given, result].join('----\n'));
      else expect(result).toBe(scenario.expected);
    });
  }
}
