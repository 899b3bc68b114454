import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const root = join(import.meta.dirname, '../..');
const report = z.object({
  diagnostics: z.array(
    z.object({
      message: z.string(),
      filename: z.string(),
      labels: z.array(z.object({ span: z.object({ line: z.number() }) })).min(1),
    }),
  ),
  number_of_files: z.number(),
});

/** Functions of more than `max` lines under `paths`, found by oxlint, because TypeScript 7 has no parser for scripts. */
export function longFunctions(paths: readonly string[], max: number): { files: number; problems: string[] } {
  const directory = mkdtempSync(join(tmpdir(), 'penstock-architecture-'));
  try {
    const config = join(directory, 'oxlint.json');
    const rules = { 'max-lines-per-function': ['error', { max, skipBlankLines: false, skipComments: false }] };
    writeFileSync(config, JSON.stringify({ categories: { correctness: 'off' }, rules }));
    const oxlint = join(root, 'node_modules/.bin/oxlint');
    const run = spawnSync(oxlint, ['--config', config, '--format', 'json', ...paths], { cwd: root, encoding: 'utf8' });
    const { diagnostics, number_of_files: files } = report.parse(JSON.parse(run.stdout));
    return {
      files,
      problems: diagnostics.map(({ filename, labels, message }) => `${filename}:${labels[0]?.span.line}: ${message}`),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
