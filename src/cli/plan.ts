import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ArgumentError } from './arguments.ts';
import type { CliIo } from './command.ts';
import { loadFiles, loadFolder } from './load-folder.ts';
import { planEvents } from './plan-events.ts';
import { planText } from './plan-text.ts';
import { planTree, readAt } from './plan-tree.ts';

const options = {
  into: { type: 'string' },
  tag: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

/** Says what a working tree would start, before it is pushed. Answers 1 when its configuration has an error. */
export async function runPlan(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  if (positionals.length > 1) throw new ArgumentError('penstock plan takes one folder.');
  const here = { directory: resolve(io.cwd, positionals[0] ?? '.'), env: io.env };
  const tree = await planTree(here, values.into);
  const base = await loadFiles((path) => readAt({ ...here, directory: tree.folder }, tree.baseSha, path));
  const own = await loadFolder(tree.folder);
  const events = planEvents(tree, { base, own }, values.tag);
  if (values.json) io.out(JSON.stringify({ into: tree.into, changedFiles: tree.paths, events }, null, 2));
  else io.out(planText(tree, events));
  const broken = own.kind === 'broken' || (own.kind === 'ok' && Object.keys(own.brokenPipelines).length > 0);
  return broken ? 1 : 0;
}
