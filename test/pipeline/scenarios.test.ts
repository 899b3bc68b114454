import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseScenario, runScenario } from './scenario.ts';

const folder = join(import.meta.dirname, 'scenarios');
/** Writes what came out into the files. Read the difference before committing it. */
const update = process.env['SCENARIO_UPDATE'] === '1';

describe('scenarios', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
    const path = join(folder, file);
    const scenario = parseScenario(readFileSync(path, 'utf8'));
    it(`${scenario.title} (${scenario.rules.join(', ')})`, () => {
      const result = `${runScenario(scenario)}\n`;
      if (update) writeFileSync(path, [scenario.head, `${scenario.inputs.join('\n')}\n`, result].join('----\n'));
      else expect(result).toBe(scenario.expected);
    });
  }
});
