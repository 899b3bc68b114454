import type { Transaction } from 'kysely';
import { authorize } from '../commands/authorize.ts';
import type { Command } from '../commands/command.ts';
import type { ParsedLine } from '../commands/parse-comment.ts';
import type { Database } from '../db/database.ts';
import type { Deps } from '../deps.ts';
import { UserError } from '../errors.ts';
import { ticked } from '../render/markdown.ts';
import type { Answer, Asked } from './asked.ts';
import { asker, done, refused } from './asked.ts';
import { recordCommand } from './record-command.ts';
import { rememberingEngine } from './remembering-engine.ts';
import { approve } from './commands/approve.ts';
import { okToTest } from './commands/ok-to-test.ts';
import { plan } from './commands/plan.ts';
import { help, status, why } from './commands/questions.ts';
import { rerun } from './commands/rerun.ts';
import { retry } from './commands/retry.ts';
import { run } from './commands/run.ts';
import { holdOrRelease, override, rollback } from './commands/stage-commands.ts';
import { stop } from './commands/stop.ts';

export interface LineAnswer {
  readonly line: ParsedLine;
  readonly answer: Answer;
}

/** A line that could not be read is answered with how to write it; a near miss of ours with what was perhaps meant. */
export function answerLine(deps: Deps, asked: Asked, line: ParsedLine): Promise<Answer> {
  switch (line.kind) {
    case 'command':
      return obeyCommand(deps, asked, line.command);
    case 'error':
      return Promise.resolve({ mark: 'confused', text: `${line.problem} Usage: \`${line.usage}\`` });
    case 'near-miss':
      return Promise.resolve({ mark: 'confused', text: `${line.why} Did you mean \`${line.suggestion}\`?` });
    default:
      return line satisfies never;
  }
}

/**
 * May this person ask this? Then it is done. The gates have rules of their own, applied by `approve`. Either way there is
 * a row that says who asked what, and what came of it: of what an engine did, in the transaction that did it.
 */
export async function obeyCommand(deps: Deps, asked: Asked, command: Command): Promise<Answer> {
  const allowed = authorize(command, asker(asked));
  const onDone = (trx: Transaction<Database>) => recordCommand(trx, asked, { command, answer: done(), allowed: true });
  const { engine, earlier } = await rememberingEngine(deps, { source: asked.claim, words: command, onDone });
  const answer = allowed.allowed
    ? await dispatch({ ...deps, engine }, { ...asked, earlier }, command).catch(toldTheAsker)
    : refused(`${allowed.why} ${allowed.whoCould}`.trim());
  const told = { command, answer, allowed: allowed.allowed };
  await deps.db.transaction().execute((trx) => recordCommand(trx, asked, told));
  return answer;
}

/**
 * What somebody can mend is an answer, not an end in silence: AWS may let our role start but not retry. AWS and GitHub
 * repeat words that people gave us, so theirs are made harmless (SEC R11).
 */
function toldTheAsker(error: unknown): Answer {
  if (error instanceof UserError) return refused(ticked(error.message, 2000));
  throw error;
}

function dispatch(deps: Deps, asked: Asked, command: Command): Promise<Answer> {
  switch (command.verb) {
    case 'approve':
    case 'reject':
      return approve(deps, asked, command);
    case 'retry':
      return retry(deps, asked, command);
    case 'rerun':
      return rerun(deps, asked, command);
    case 'run':
      return run(deps, asked, command);
    case 'stop':
      return stop(deps, asked, command);
    case 'rollback':
      return rollback(deps, asked, command);
    case 'hold':
    case 'release':
      return holdOrRelease(deps, asked, command);
    case 'override':
      return override(deps, asked, command);
    case 'ok-to-test':
      return okToTest(deps, asked, command);
    case 'status':
      return status(deps, asked, command);
    case 'why':
      return why(deps, asked, command);
    case 'plan':
      return plan(deps, asked, command);
    case 'help':
      return help(deps, asked, command);
    default:
      return command satisfies never;
  }
}
