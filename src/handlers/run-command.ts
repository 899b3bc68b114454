import { authorize } from '../commands/authorize.ts';
import type { Command } from '../commands/command.ts';
import type { ParsedLine } from '../commands/parse-comment.ts';
import { recordAudit } from '../db/audit.ts';
import type { Deps } from '../deps.ts';
import { UserError } from '../errors.ts';
import { ticked } from '../render/markdown.ts';
import type { Answer, Asked } from './asked.ts';
import { asker, newestPerPipeline, refused } from './asked.ts';
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
 * a row that says who asked what, and what came of it.
 */
export async function obeyCommand(deps: Deps, asked: Asked, command: Command): Promise<Answer> {
  const allowed = authorize(command, asker(asked));
  const { engine, earlier } = await rememberingEngine(deps, asked.claim, command);
  const answer = allowed.allowed
    ? await dispatch({ ...deps, engine }, { ...asked, earlier }, command).catch(toldTheAsker)
    : refused(`${allowed.why} ${allowed.whoCould}`.trim());
  await recordCommand(deps, asked, { command, answer, allowed: allowed.allowed });
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

const outcomes = { rocket: 'done', '+1': 'answered', '-1': 'refused', confused: 'not understood' } as const;

/** Values of variables are left out: somebody may have written a secret into one. */
function wordsOf(command: Command): Readonly<Record<string, unknown>> {
  const { verb: _verb, ...words } = command;
  return command.verb === 'run' ? { ...words, variables: command.variables.map(({ name }) => name) } : words;
}

async function recordCommand(
  deps: Pick<Deps, 'db'>,
  asked: Asked,
  { command, answer, allowed }: { readonly command: Command; readonly answer: Answer; readonly allowed: boolean },
): Promise<void> {
  const pipeline = 'target' in command ? command.target.pipeline : undefined;
  const [record, other] = newestPerPipeline(asked, pipeline);
  // What a question was answered with can be asked again; a refusal is news.
  const why = answer.mark === '+1' ? '' : (answer.text ?? '');
  await recordAudit(deps.db, {
    repositoryId: asked.repository.id,
    ...(record && !other ? { execution: record.execution.id } : {}),
    who: asked.person.login,
    what: `command-${command.verb}`,
    why: `${allowed ? outcomes[answer.mark] : 'not allowed'}${why === '' ? '' : `: ${why}`}`.slice(0, 1000),
    detail: {
      personId: asked.person.id,
      permission: asked.permission,
      channel: asked.channel,
      source: asked.source,
      ...(asked.pullRequest ? { pullRequest: asked.pullRequest.number, headSha: asked.pullRequest.headSha } : {}),
      words: wordsOf(command),
    },
  });
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
