import { z } from 'zod';
import { checkAudit } from '../db/audit.ts';
import { homeOf } from './app-environment.ts';
import type { CliIo } from './command.ts';
import { askControl } from './control-client.ts';
import { lookInto } from './look.ts';

const chain = z.object({
  repositoryId: z.int().nullable(),
  rows: z.int(),
  hash: z.string(),
  broken: z.int().nullable(),
});

/** Says of each repository whether its rows are as they were written; exit code 1 when some are not. */
export async function verifyAudit(io: CliIo, json: boolean): Promise<number> {
  const chains = z.array(chain).parse(await fetchChains(io));
  if (json) io.out(JSON.stringify(chains, null, 2));
  else io.out(chains.length === 0 ? 'Nothing is on record yet.' : chains.map(line).join('\n'));
  return chains.every(({ broken }) => broken === null) ? 0 : 1;
}

/** From the running process, else from the database itself. */
async function fetchChains(io: CliIo): Promise<unknown> {
  const answer = await askControl(homeOf(io.env), '/audit/chains');
  if (answer.kind === 'answered') return answer.body;
  return lookInto(io, async (db) => (db ? checkAudit(db) : []));
}

function line({ repositoryId, rows, hash, broken }: z.output<typeof chain>): string {
  const whose = repositoryId === null ? 'of no repository' : `of repository ${repositoryId}`;
  return broken === null
    ? `intact  ${rows} rows ${whose}, up to ${hash}`
    : `BROKEN  ${rows} rows ${whose}: from row ${broken} on they are not what was written. Compare with a backup.`;
}
