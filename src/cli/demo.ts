import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runDemo } from '../demo/run.ts';
import type { CliIo } from './command.ts';

export async function runDemoCommand(args: readonly string[], io: CliIo): Promise<number> {
  const options = { keep: { type: 'boolean', default: false }, example: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  return await runDemo({
    out: (text) => io.out(text),
    keep: values.keep,
    color: io.color,
    path: io.env['PATH'] ?? '',
    ...(values.example === undefined ? {} : { example: resolve(io.cwd, values.example) }),
  });
}
