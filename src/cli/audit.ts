import { parseArgs } from 'node:util';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import { findAudit } from '../db/audit.ts';
import type { Database } from '../db/database.ts';
import { findRepository } from '../db/repositories.ts';
import { UserError } from '../errors.ts';
import { homeOf } from './app-environment.ts';
import { verifyAudit } from './audit-verify.ts';
import { ArgumentError } from './arguments.ts';
import type { CliIo } from './command.ts';
import { askControl } from './control-client.ts';
import { lookInto } from './look.ts';
import { oneLine } from './one-line.ts';

/** Which rows: of an execution (or the beginning of its id), of a pull request, or the newest ones of all. */
export interface AuditWanted {
  readonly execution?: string;
  readonly repository?: string;
  readonly pullRequest?: number;
  readonly limit: number;
}

const row = z.object({
  id: z.int(),
  at: z.string(),
  repositoryId: z.int().nullable(),
  execution: z.string().nullable(),
  who: z.string(),
  what: z.string(),
  why: z.string(),
  detail: z.record(z.string(), z.unknown()),
  previous: z.string(),
  hash: z.string(),
});
type Row = z.output<typeof row>;

export async function runAudit(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      execution: { type: 'string' },
      pull: { type: 'string' },
      limit: { type: 'string', default: '200' },
      json: { type: 'boolean', default: false },
      verify: { type: 'boolean', default: false },
    },
  });
  if (values.verify) return verifyAudit(io, values.json);
  const wanted: AuditWanted = {
    limit: limitOf(values.limit),
    ...(values.execution === undefined ? {} : { execution: values.execution }),
    ...(values.pull === undefined ? {} : pullOf(values.pull)),
  };
  const rows = z.array(row).parse(await fetchRows(wanted, io));
  if (values.json) io.out(JSON.stringify(rows, null, 2));
  else io.out(rows.length === 0 ? 'Nothing is on record for that.' : rows.map(line).join('\n'));
  return 0;
}

function limitOf(written: string): number {
  const limit = Number(written);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
    throw new ArgumentError('--limit is a number from 1 to 10000.');
  return limit;
}

function pullOf(written: string): Pick<AuditWanted, 'repository' | 'pullRequest'> {
  const [, repository, number] = /^([^/#\s]+\/[^/#\s]+)#(\d{1,9})$/.exec(written) ?? [];
  if (repository === undefined) throw new ArgumentError('Write the pull request as --pull owner/name#12.');
  return { repository, pullRequest: Number(number) };
}

/** From the running process, else from the database itself. */
async function fetchRows(wanted: AuditWanted, io: CliIo): Promise<unknown> {
  const query = new URLSearchParams(
    Object.entries(wanted).map(([key, value]): [string, string] => [key, String(value)]),
  );
  const answer = await askControl(homeOf(io.env), `/audit?${query.toString()}`);
  if (answer.kind === 'answered') return answer.body;
  if (answer.kind === 'not-found') throw unknownRepository(wanted);
  const rows = await lookInto(io, async (db) => (db ? readAudit(db, wanted) : []));
  if (rows === null) throw unknownRepository(wanted);
  return JSON.parse(JSON.stringify(rows)) as unknown;
}

function unknownRepository({ repository }: AuditWanted): UserError {
  return new UserError(`Penstock knows no repository ${repository ?? ''}. \`penstock status\` lists what ran.`);
}

/** Oldest first; null when there is no such repository. */
export async function readAudit(db: Kysely<Database>, { repository, ...filter }: AuditWanted) {
  if (repository === undefined) return findAudit(db, filter);
  const [owner = '', name = ''] = repository.split('/');
  const found = await findRepository(db, owner, name);
  return found ? findAudit(db, { ...filter, repositoryId: found.id }) : null;
}

function line({ at, who, what, why, execution, detail }: Row): string {
  const about = [
    ...(execution === null ? [] : [`execution ${execution.slice(0, 8)}`]),
    ...['pipeline', 'gate', 'pullRequest', 'headSha', 'permission', 'channel', 'source'].flatMap((key) => {
      const value = detail[key];
      return typeof value === 'string' || typeof value === 'number' ? [`${key} ${short(key, String(value))}`] : [];
    }),
  ];
  return `${at}  ${what}  ${who}${why === '' ? '' : `: ${oneLine(why)}`}  (${about.join(', ')})`;
}

function short(key: string, value: string): string {
  return key === 'headSha' ? value.slice(0, 7) : oneLine(value);
}
