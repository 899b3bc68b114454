import type { Transaction } from 'kysely';
import type { Command } from '../commands/command.ts';
import { recordAudit } from '../db/audit.ts';
import type { Database } from '../db/database.ts';
import { claimRecord } from '../db/human-commands.ts';
import { newestPerPipeline, type Answer, type Asked } from './asked.ts';

const outcomes = { rocket: 'done', '+1': 'answered', '-1': 'refused', confused: 'not understood' } as const;

/** What the row says of the person and the place; of a press that a crash cut off less is known. */
export type Recorded = Pick<Asked, 'repository' | 'person' | 'channel' | 'source' | 'claim' | 'records'> &
  Partial<Pick<Asked, 'permission' | 'pullRequest'>>;

/**
 * The row that says who asked what, and what came of it: once for each line and outcome, however often its delivery is
 * worked on.
 */
export async function recordCommand(
  trx: Transaction<Database>,
  asked: Recorded,
  { command, answer, allowed }: { readonly command: Command; readonly answer: Answer; readonly allowed: boolean },
): Promise<void> {
  // What a question was answered with can be asked again; a refusal is news.
  const told = answer.mark === '+1' ? '' : (answer.text ?? '');
  const why = `${allowed ? outcomes[answer.mark] : 'not allowed'}${told === '' ? '' : `: ${told}`}`.slice(0, 1000);
  if (!(await claimRecord(trx, asked.claim, `${asked.source}: ${why}`))) return;
  const pipeline = 'target' in command ? command.target.pipeline : undefined;
  const [record, other] = newestPerPipeline(asked, pipeline);
  const { repository, person, permission, channel, source, pullRequest } = asked;
  await recordAudit(trx, {
    repositoryId: repository.id,
    ...(record && !other ? { execution: record.execution.id } : {}),
    who: person.login,
    what: `command-${command.verb}`,
    why,
    detail: {
      personId: person.id,
      ...(permission === undefined ? {} : { permission }),
      channel,
      source,
      ...(pullRequest ? { pullRequest: pullRequest.number, headSha: pullRequest.headSha } : {}),
      words: wordsOf(command),
    },
  });
}

/** Values of variables are left out: somebody may have written a secret into one. */
function wordsOf(command: Command): Readonly<Record<string, unknown>> {
  const { verb: _verb, ...words } = command;
  return command.verb === 'run' ? { ...words, variables: command.variables.map(({ name }) => name) } : words;
}
