import type { Kysely } from 'kysely';
import { actorName } from '../pipeline/actor-name.ts';
import type { Actor } from '../pipeline/execution.ts';
import type { Input, PipelineCommand } from '../pipeline/protocol.ts';
import { recordAudit } from './audit.ts';
import type { Database } from './database.ts';

export interface MovedBy {
  readonly repositoryId: number;
  readonly pipeline: string;
  readonly pullRequest: number | null;
  readonly input: Input;
  readonly by: Actor;
}

/**
 * What moved a pipeline, whichever door it came through: GitHub, the CodePipeline API or a sweep. To be called in the
 * transaction that moves it (SEC-T-15). Facts are no decisions; what follows from them stands in the execution.
 */
export async function recordMove(db: Kysely<Database>, moved: MovedBy): Promise<void> {
  const { input } = moved;
  switch (input.kind) {
    case 'start': {
      const { trigger, sourceRevisions, digest } = input;
      const revisions = sourceRevisions.map(({ actionName, revisionId }) => ({ actionName, revisionId }));
      const words = { trigger: trigger.type, definition: digest, sourceRevisions: revisions };
      return record(db, moved, { ...words, variables: input.variables.map(({ name }) => name) });
    }
    case 'update-definition':
      return record(db, moved, { definition: input.digest });
    case 'approve':
    case 'reject':
    case 'retry':
    case 'stop':
    case 'withdraw':
    case 'rollback':
    case 'override':
    case 'disable-transition':
    case 'enable-transition':
      return record(db, moved, wordsOf(input));
    default:
  }
}

function wordsOf(command: PipelineCommand): Readonly<Record<string, unknown>> {
  const { kind: _kind, lane: _lane, execution: _execution, ...words } = { execution: undefined, ...command };
  return words;
}

async function record(
  db: Kysely<Database>,
  { repositoryId, pipeline, pullRequest, input, by }: MovedBy,
  words: Readonly<Record<string, unknown>>,
): Promise<void> {
  await recordAudit(db, {
    repositoryId,
    ...('execution' in input ? { execution: input.execution } : {}),
    who: actorName(by),
    what: `pipeline-${input.kind}`,
    why: reasonOf(input),
    detail: {
      pipeline,
      ...words,
      ...(pullRequest === null ? {} : { pullRequest }),
      ...(by.kind === 'person' ? { personId: by.id } : {}),
    },
  });
}

function reasonOf(input: Input): string {
  if ('summary' in input) return input.summary ?? '';
  if ('reason' in input) return input.reason ?? '';
  return 'because' in input ? input.because.kind : '';
}
