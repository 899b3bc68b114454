import { parseArgs } from 'node:util';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { homeOf } from './app-environment.ts';
import { ArgumentError } from './arguments.ts';
import type { CliIo } from './command.ts';
import { askControl } from './control-client.ts';
import { findExecution, openExecutions } from './executions-source.ts';

const answered = z.object({ link: z.string() });

/** Only the running server knows its address, so it has to run. */
export async function runLink(args: readonly string[], io: CliIo): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true });
  const [wanted, ...more] = positionals;
  if (wanted === undefined || more.length > 0)
    throw new ArgumentError('Name one execution. `penstock status` lists them.');
  const home = homeOf(io.env);
  if ((await askControl(home, '/status')).kind === 'nobody') {
    throw new UserError(
      `No Penstock runs with ${home}, so there is no page to link to. Start it, or read \`penstock logs\`.`,
    );
  }
  const source = await openExecutions(io);
  const found = await findExecution(source, wanted);
  await source.close();
  const answer =
    found === null ? undefined : await askControl(home, `/executions/${encodeURIComponent(found.id)}/link`);
  if (answer?.kind !== 'answered')
    throw new UserError(`No execution begins with ${wanted}. \`penstock status\` lists the recent ones.`);
  io.out(answered.parse(answer.body).link);
  return 0;
}
