import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseScenario, runScenario, type Scenario } from './scenario.ts';
import { filtersIn, runDeclaration, runTriggers } from './scenario-tables.ts';

/** Writes what came out into the files. Read the difference before committing it. */
const update = process.env['SCENARIO_UPDATE'] === '1';

const folders: readonly [string, (scenario: Scenario) => string][] = [
  ['scenarios', runScenario],
  ['scenarios/declarations', ({ given }) => runDeclaration(given)],
  ['scenarios/triggers', ({ head, inputs }) => runTriggers(filtersIn(head), inputs)],
];

describe.each(folders)('%s', (folder, run) => {
  const place = join(import.meta.dirname, folder);
  for (const file of readdirSync(place).filter((name) => name.endsWith('.txt'))) {
    const path = join(place, file);
    const scenario = parseScenario(readFileSync(path, 'utf8'));
    it(`${scenario.title} (${scenario.rules.join(', ')})`, () => {
      const result = `${run(scenario)}\n`;
      if (update) writeFileSync(path, [scenario.head, scenario.given, result].join('----\n'));
      else expect(result).toBe(scenario.expected);
    });
  }
});
