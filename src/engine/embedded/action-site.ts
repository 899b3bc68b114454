import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import type { ActionDeclaration } from '../../pipeline/definition.ts';
import type { ActionRun, StageRun } from '../../pipeline/execution.ts';
import { attemptsOf } from '../../pipeline/status.ts';
import { findExecutionSite, type ExecutionSite } from './execution-site.ts';

/** One attempt of one action with everything that the database knows around it. */
export interface ActionSite extends ExecutionSite {
  readonly declaration: ActionDeclaration;
  readonly stage: string;
  readonly run: ActionRun;
}

/** `undefined` when the attempt is no longer the current one, or its execution is gone: nothing is left to do. */
export function findSite(db: Kysely<Database>, execution: string, action: string): Promise<ActionSite | undefined> {
  return findAmong(db, { execution, action }, ({ actions }) => actions);
}

/** Also an attempt that a retry replaced: its work may still have to be stopped. */
export function findAttempt(db: Kysely<Database>, execution: string, action: string): Promise<ActionSite | undefined> {
  return findAmong(db, { execution, action }, attemptsOf);
}

async function findAmong(
  db: Kysely<Database>,
  { execution, action }: { readonly execution: string; readonly action: string },
  attempts: (stage: StageRun) => readonly ActionRun[],
): Promise<ActionSite | undefined> {
  const site = await findExecutionSite(db, execution);
  if (!site) return undefined;
  for (const stage of site.record.execution.stages) {
    const run = attempts(stage).find((one) => one.id === action);
    const declared = site.definition.stages.find((one) => one.name === stage.stage);
    const declaration = declared?.actions.find((one) => one.name === run?.action);
    if (run && declaration) return { ...site, declaration, stage: stage.stage, run };
  }
  return undefined;
}

/** What a provider knows the attempt by. */
export function tokenOf({ record, stage, declaration, run }: ActionSite): string {
  return `${record.execution.id}/${stage}/${declaration.name}/${run.attempt}`;
}
