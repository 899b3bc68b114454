import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { BuildPhase } from '../pipeline/build-phase.ts';
import { logPath } from './action-log.ts';

/** `<home>/logs/<execution>/<action execution>.build.json`; throws when an id is not one of ours. */
export function buildRecordPath(home: string, execution: string, actionExecution: string): string {
  return logPath(home, execution, actionExecution).replace(/\.log$/, '.build.json');
}

const Recorded = z.object({
  phases: z.array(
    z.object({
      phaseType: z.string(),
      phaseStatus: z.string().default('IN_PROGRESS'),
      startTime: z.string(),
      endTime: z.string().optional(),
      attempts: z.int().default(1),
      contexts: z.array(z.object({ message: z.string() })).default([]),
    }),
  ),
});

/** Of a build that runs too; none for an action that is no build, or whose record cannot be read. */
export async function readBuildPhases(
  home: string,
  execution: string,
  actionExecution: string,
): Promise<readonly BuildPhase[]> {
  const text = await readFile(buildRecordPath(home, execution, actionExecution), 'utf8').catch(() => 'null');
  try {
    const { success, data } = Recorded.safeParse(JSON.parse(text));
    return success ? data.phases.filter(({ phaseType }) => phaseType !== 'COMPLETED').map(phaseOf) : [];
  } catch {
    return [];
  }
}

function phaseOf(recorded: z.infer<typeof Recorded>['phases'][number]): BuildPhase {
  const [context] = recorded.contexts;
  return {
    phase: recorded.phaseType,
    status: recorded.phaseStatus,
    startedAt: recorded.startTime,
    ...(recorded.endTime === undefined ? {} : { endedAt: recorded.endTime }),
    attempts: recorded.attempts,
    ...(context === undefined || context.message === '' ? {} : { message: context.message }),
  };
}
