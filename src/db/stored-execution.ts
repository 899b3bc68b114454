import { z } from 'zod';
import type { ExecutionContext } from '../engine/engine.ts';
import type { Execution } from '../pipeline/execution.ts';

/**
 * How executions are written as jsonb. Shapes are loose: fields that a newer replica added are kept when an older one
 * writes the row again. A change that old code would misread needs a new version here and a reader for the old one.
 */
export const schemaVersion = 1;

const actor = z.looseObject({ kind: z.enum(['person', 'api', 'penstock']) });

const actionRun = z.looseObject({
  action: z.string(),
  id: z.string(),
  attempt: z.int().positive(),
  status: z.enum(['InProgress', 'Succeeded', 'Failed', 'Abandoned']),
  phase: z.enum(['starting', 'running', 'waiting', 'ended']),
  startedAt: z.iso.datetime(),
});

const stageRun = z.looseObject({
  stage: z.string(),
  attempt: z.int().positive(),
  startedAt: z.iso.datetime(),
  actions: z.array(actionRun),
});

const execution = z.looseObject({
  id: z.string(),
  lane: z.string(),
  pipeline: z.string(),
  order: z.int(),
  definition: z.string(),
  mode: z.enum(['SUPERSEDED', 'QUEUED', 'PARALLEL']),
  type: z.enum(['STANDARD', 'ROLLBACK']),
  trigger: z.looseObject({ type: z.string(), detail: z.string() }),
  sourceRevisions: z.array(z.looseObject({ actionName: z.string(), revisionId: z.string() })),
  variables: z.array(z.looseObject({ name: z.string(), value: z.string() })),
  startedAt: z.iso.datetime(),
  startedBy: actor,
  updatedAt: z.iso.datetime(),
  stages: z.array(stageRun),
  stop: z.looseObject({ abandon: z.boolean(), at: z.iso.datetime(), by: actor }).optional(),
  ending: z
    .looseObject({ as: z.enum(['Superseded', 'Stopped', 'Cancelled', 'Failed']), at: z.iso.datetime() })
    .optional(),
});

const person = z.looseObject({ id: z.int(), login: z.string() });

const context = z.looseObject({
  headSha: z.string(),
  configSha: z.string(),
  configDigest: z.string(),
  fork: z.boolean(),
  authors: z.array(person),
  unmappedAuthors: z.array(z.string()),
  cause: z.string(),
  gates: z.record(z.string(), z.unknown()),
});

/** Throws when a row was edited by hand or written by a newer version that old code must not touch. */
export function readExecution(id: string, version: number, state: unknown): Execution {
  if (version !== schemaVersion) {
    throw new Error(`Execution ${id} is stored in format ${version}, and this version reads ${schemaVersion} only`);
  }
  return checked(id, execution, state) as unknown as Execution;
}

export function readContext(id: string, stored: unknown): ExecutionContext {
  return checked(id, context, stored) as unknown as ExecutionContext;
}

function checked<T>(id: string, shape: z.ZodType<T>, value: unknown): T {
  const read = shape.safeParse(value);
  if (!read.success) throw new Error(`Execution ${id} is stored in a damaged form: ${z.prettifyError(read.error)}`);
  return read.data;
}
