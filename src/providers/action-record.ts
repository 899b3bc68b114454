import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { killLeftover } from '../buildspec/processes.ts';
import type { EndReport } from './reports.ts';

/**
 * What survives a restart about work that was started: that it was, which process did it, and how it ended.
 * Written before the work begins, so that work which may not run twice never does.
 */
export interface ActionRecord {
  readonly token: string;
  readonly startedAt: string;
  /** How many processes have begun it; one when absent. */
  readonly lives?: number | undefined;
  readonly process?: { readonly pid: number; readonly startTime: string; readonly marker: string } | undefined;
  readonly report?: EndReport | undefined;
}

const Record = z.object({
  token: z.string(),
  startedAt: z.string(),
  lives: z.int().optional(),
  process: z.object({ pid: z.number(), startTime: z.string(), marker: z.string() }).optional(),
  // Written by ourselves from an EndReport.
  report: z.custom<EndReport>((value) => typeof value === 'object' && value !== null && 'kind' in value).optional(),
});

/** A short name for a token that is safe in file names, environments and external ids. */
export function nameOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 32);
}

/** A record that is damaged says no more than that the work was begun. */
export async function readActionRecord(home: string, token: string): Promise<ActionRecord | null> {
  return readRecordFile(fileOf(home, token), { token, startedAt: new Date().toISOString() });
}

export async function writeActionRecord(home: string, record: ActionRecord): Promise<void> {
  const file = fileOf(home, record.token);
  await mkdir(join(home, 'actions'), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/**
 * Ends every process that an earlier life of this program left behind; call it once at start. Records of work that
 * ended more than 30 days ago are removed. Says how many commands were still running.
 */
export async function endLeftovers(home: string, now: Date): Promise<number> {
  const directory = join(home, 'actions');
  let ended = 0;
  for (const name of await readdir(directory).catch(() => [])) {
    if (!name.endsWith('.json')) continue;
    const file = join(directory, name);
    const record = await readRecordFile(file, null);
    if (record?.process !== undefined && record.report === undefined && (await killLeftover(record.process)))
      ended += 1;
    const age = now.getTime() - (await stat(file)).mtimeMs;
    if (age > 30 * 86_400_000) await rm(file, { force: true });
  }
  return ended;
}

async function readRecordFile(file: string, damaged: ActionRecord | null): Promise<ActionRecord | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return Record.parse(JSON.parse(text));
  } catch {
    return damaged;
  }
}

function fileOf(home: string, token: string): string {
  return join(home, 'actions', `${nameOfToken(token)}.json`);
}
