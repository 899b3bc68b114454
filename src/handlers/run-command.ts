import { authorize } from '../commands/authorize.ts';
import type { Command } from '../commands/command.ts';
import type { ParsedLine } from '../commands/parse-comment.ts';
import type { Deps } from '../deps.ts';
import type { Answer, Asked } from './asked.ts';
import { asker, refused } from './asked.ts';
import { approve } from './commands/approve.ts';
import { okToTest } from './commands/ok-to-test.ts';
import { help, plan, status, why } from './commands/questions.ts';
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

/** May this person ask this? Then it is done. The gates have rules of their own, applied by `approve`. */
export async function obeyCommand(deps: Deps, asked: Asked, command: Command): Promise<Answer> {
  const allowed = authorize(command, asker(asked));
  if (!allowed.allowed) return refused(`${allowed.why} ${allowed.whoCould}`.trim());
  return dispatch(deps, asked, command);
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
      return help(asked, command);
    default:
      return command satisfies never;
  }
}
