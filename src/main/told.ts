import { existsSync } from 'node:fs';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import { rankTail } from '../buildspec/rank-tail.ts';
import { toldOfAction } from '../db/action-executions.ts';
import type { Database } from '../db/database.ts';
import type { BuildPhase } from '../pipeline/build-phase.ts';
import { logPath } from '../providers/action-log.ts';
import { findingsOf, readFindings, type ActionFindings } from '../providers/findings-file.ts';
import { readTail } from '../providers/read-log.ts';

/** Lines of a log that are looked through for those that matter. */
export const linesRead = 2_000;
/** Lines that another replica can show. */
const linesKept = 50;
const mostNamed = 50;
const longestMessage = 2_000;

interface Tail {
  readonly lines: readonly string[];
  /** Lines that were looked at and are not here. */
  readonly cut: number;
}

const StoredTail = z.object({ tail: z.object({ lines: z.array(z.string()), cut: z.int() }) });

/**
 * What a check run tells of an ended attempt, bounded, to be kept with its end: the replica that draws may not be the
 * one that holds its log. Undefined when it told nothing.
 */
export async function toldHere(home: string, execution: string, action: string, failed: boolean): Promise<unknown> {
  const { findings, reports, phases } = await readFindings(home, execution, action);
  const tail = failed ? await tailHere(home, execution, action, linesKept) : noTail;
  if (findings.length + reports.length + phases.length + tail.lines.length === 0) return undefined;
  const short = <T extends { readonly message: string }>(all: readonly T[]) =>
    all.slice(0, mostNamed).map((one) => ({ ...one, message: one.message.slice(0, longestMessage).toWellFormed() }));
  const named = reports.map((report) => ({
    ...report,
    failures: short(report.failures),
    flaky: report.flaky.slice(0, mostNamed),
  }));
  return { findings: short(findings), reports: named, phases: phases.map(shortPhase), tail };
}

function shortPhase(phase: BuildPhase): BuildPhase {
  const { message } = phase;
  return message === undefined ? phase : { ...phase, message: message.slice(0, longestMessage).toWellFormed() };
}

const noTail: Tail = { lines: [], cut: 0 };

async function tailHere(home: string, execution: string, action: string, lines: number): Promise<Tail> {
  return rankedTail(await readTail(logPath(home, execution, action), linesRead), lines);
}

export function rankedTail(tail: readonly string[], lines: number): Tail {
  const ranked = rankTail(tail, lines);
  return { lines: ranked, cut: tail.length - ranked.filter((line) => line !== '…').length };
}

interface Told {
  tail(execution: string, action: string, lines: number): Promise<Tail>;
  findings(execution: string, action: string): Promise<ActionFindings>;
}

/** From this host's files, else from what the host that ran it kept in the database. */
export function toldAnywhere(db: Kysely<Database>, home: string): Told {
  const isHere = (execution: string, action: string) => existsSync(logPath(home, execution, action));
  return {
    async tail(execution, action, lines) {
      if (isHere(execution, action)) return tailHere(home, execution, action, lines);
      const { data } = StoredTail.safeParse(await toldOfAction(db, action));
      return data?.tail ?? noTail;
    },
    async findings(execution, action) {
      if (isHere(execution, action)) return readFindings(home, execution, action);
      return findingsOf(await toldOfAction(db, action));
    },
  };
}
