import { parseArgs } from 'node:util';
import { z } from 'zod';
import { deadJobs, reviveDeadJob } from '../db/dead-jobs.ts';
import { UserError } from '../errors.ts';
import { homeOf } from './app-environment.ts';
import { ArgumentError } from './arguments.ts';
import type { CliIo } from './command.ts';
import { askControl } from './control-client.ts';
import { lookInto } from './look.ts';
import { oneLine } from './one-line.ts';

const deadJob = z.object({
  id: z.int(),
  kind: z.string(),
  payload: z.unknown(),
  failures: z.int(),
  lastError: z.string().nullable(),
  createdAt: z.iso.datetime(),
});
type DeadJob = z.output<typeof deadJob>;

/** Where the queue is: with the process that runs, else in the database itself. */
interface Queue {
  dead(): Promise<readonly DeadJob[]>;
  /** False when no such job was given up. */
  revive(id: number): Promise<boolean>;
}

/** Shows the jobs that were given up, or lets one of them run again. */
export async function runJobs(args: readonly string[], io: CliIo): Promise<number> {
  const asked = readArguments(args);
  return withQueue(io, async (queue) => {
    if (asked.verb === 'revive') return revive(queue, asked.id, io);
    const jobs = await queue.dead();
    if (asked.json) io.out(JSON.stringify(jobs, null, 2));
    else io.out(jobs.length === 0 ? 'No job was given up.' : jobs.map(describe).join('\n'));
    return 0;
  });
}

type Asked = { readonly verb: 'list'; readonly json: boolean } | { readonly verb: 'revive'; readonly id: number };

function readArguments(args: readonly string[]): Asked {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [verb, written = '', ...more] = positionals;
  if (verb === undefined) return { verb: 'list', json: values.json };
  if (verb !== 'revive' || more.length > 0)
    throw new ArgumentError('Write penstock jobs, or penstock jobs revive <id>.');
  if (!/^[1-9]\d{0,14}$/.test(written))
    throw new ArgumentError('Give the number that `penstock jobs` shows of the job.');
  return { verb: 'revive', id: Number(written) };
}

async function revive(queue: Queue, id: number, io: CliIo): Promise<number> {
  if (!(await queue.revive(id)))
    throw new UserError(`No job ${id} was given up. \`penstock jobs\` lists those that were.`);
  io.out(`Job ${id} runs again, from its first attempt.`);
  return 0;
}

async function withQueue(io: CliIo, use: (queue: Queue) => Promise<number>): Promise<number> {
  const home = homeOf(io.env);
  const answer = await askControl(home, '/jobs/dead');
  if (answer.kind === 'answered') {
    return use({
      dead: () => Promise.resolve(z.array(deadJob).parse(answer.body)),
      revive: async (id) => (await askControl(home, `/jobs/${id}/revive`, 'POST')).kind === 'answered',
    });
  }
  return lookInto(io, (db) =>
    use({
      dead: async () => (db ? z.array(deadJob).parse(JSON.parse(JSON.stringify(await deadJobs(db)))) : []),
      revive: async (id) => db !== undefined && reviveDeadJob(db, id),
    }),
  );
}

function describe({ id, kind, payload, failures, lastError, createdAt }: DeadJob): string {
  const about = oneLine(JSON.stringify(payload));
  const why = oneLine(lastError ?? 'no reason is on record');
  return `${id}  ${kind} ${about.length > 160 ? `${about.slice(0, 160)}…` : about}\n    since ${createdAt}, given up after ${failures} failures: ${why}`;
}
