import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { classify, UserError } from '../errors.ts';
import { logPath } from '../providers/action-log.ts';
import type { ExecutionPageData } from '../web/page-data.ts';
import { lookOf } from '../web/words.ts';
import { createTextCleaner, type TextCleaner } from '../web/visible-text.ts';
import { ArgumentError } from './arguments.ts';
import type { CliIo } from './command.ts';
import { findExecution, openExecutions, type ExecutionsSource } from './executions-source.ts';
import { closest } from '../pipeline/closest.ts';

/** Prints what actions printed, attempt after attempt; with -f until the execution has ended. */
export async function runLogs(args: readonly string[], io: CliIo): Promise<number> {
  const options = { follow: { type: 'boolean', short: 'f', default: false } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [wanted, action, ...more] = positionals;
  if (wanted === undefined) throw new ArgumentError('Which execution? `penstock status` lists them.');
  if (more.length > 0) throw new ArgumentError(`One action at a time: ${more.join(' ')} is too much.`);
  const source = await openExecutions(io);
  try {
    const found = await findExecution(source, wanted);
    if (found === null)
      throw new UserError(`No execution begins with ${wanted}. \`penstock status\` lists the recent ones.`);
    await printLogs(source, checkAction(found, action), action, values.follow, io);
    return 0;
  } finally {
    await source.close();
  }
}

/** One attempt's log, and how much of it was printed. */
interface Printing {
  readonly header: string;
  readonly file: string;
  readonly cleaner: TextCleaner;
  offset: number;
}

async function printLogs(
  source: ExecutionsSource,
  first: ExecutionPageData,
  action: string | undefined,
  follow: boolean,
  io: CliIo,
): Promise<void> {
  const known = new Map<string, Printing>();
  let current = '';
  let data = first;
  for (;;) {
    for (const { id, header } of attempts(data, action)) {
      const printing = known.get(id) ?? start(source.home, data.id, id, header);
      known.set(id, printing);
      for await (const text of newText(printing)) {
        if (current !== id && action === undefined) io.out(`== ${header}`);
        current = id;
        io.write(text);
      }
    }
    if (!follow || !data.live || io.interrupted.aborted) break;
    await sleep(300, undefined, { signal: io.interrupted }).catch(() => {});
    data = (await source.load(first.id).catch(nothingYet)) ?? data;
  }
  for (const { cleaner } of known.values()) io.write(cleaner.flush());
  if (current === '') io.err('Nothing was printed on this host yet.');
}

/** The server is being restarted: what it prints then is followed all the same. */
function nothingYet(error: unknown): null {
  if (classify(error) === 'transient') return null;
  throw error;
}

function start(home: string, execution: string, id: string, header: string): Printing {
  return { header, file: logPath(home, execution, id), cleaner: createTextCleaner(), offset: 0 };
}

function attempts(data: ExecutionPageData, action: string | undefined): { id: string; header: string }[] {
  return data.stages.flatMap((stage) =>
    stage.actions
      .filter(({ name }) => action === undefined || name === action || `${stage.name}/${name}` === action)
      .flatMap(({ name, id, attempt, status, earlier }) => [
        ...earlier.map((old) => ({
          id: old.id,
          header: `${stage.name}/${name}, attempt ${old.attempt}: ${old.status}`,
        })),
        ...(id === undefined
          ? []
          : [{ id, header: `${stage.name}/${name}, attempt ${attempt}: ${lookOf(status).label}` }]),
      ]),
  );
}

async function* newText(printing: Printing): AsyncGenerator<string> {
  const handle = await open(printing.file, 'r').catch(() => undefined);
  if (handle === undefined) return;
  try {
    for (;;) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, printing.offset);
      if (bytesRead === 0) return;
      printing.offset += bytesRead;
      const text = printing.cleaner.push(buffer.subarray(0, bytesRead));
      if (text !== '') yield text;
    }
  } finally {
    await handle.close();
  }
}

function checkAction(data: ExecutionPageData, action: string | undefined): ExecutionPageData {
  if (action === undefined) return data;
  const names = data.stages.flatMap((stage) => stage.actions.flatMap(({ name }) => [name, `${stage.name}/${name}`]));
  if (names.includes(action)) return data;
  const meant = closest(action, names);
  const actions = names.filter((name) => name.includes('/')).join(', ');
  throw new UserError(
    `${data.pipeline} has no action ${action}. ${meant === undefined ? `It has ${actions}.` : `Did you mean ${meant}?`}`,
  );
}
