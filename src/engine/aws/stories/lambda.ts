import type { FilteredLogEvent } from '@aws-sdk/client-cloudwatch-logs';
import { logUrl } from '../console-url.ts';
import { orUnasked, type Asking, type Told } from './asking.ts';

const mostPages = 5;
/** Logs arrive a little after the function has ended. */
const slackMs = 30_000;

/** Any of these words begins what a runtime writes when a function fails. */
const failureWords = '?ERROR ?errorMessage ?Exception ?"Task timed out" ?"Process exited" ?"Runtime exited"';

/** The error that the function ended with, out of its own log: CodePipeline calls it without waiting for its answer. */
export async function tellFunction(asking: Asking): Promise<Told> {
  const name = functionName(asking.configuration['FunctionName']);
  if (name === undefined) return {};
  const settings = await orUnasked(
    asking.call('lambda', 'lambda:GetFunctionConfiguration', `function:${name}`, (api) =>
      api.getFunctionConfiguration({ FunctionName: name }),
    ),
  );
  const own = 'answer' in settings ? settings.answer : undefined;
  const group = own?.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`;
  const events = await failuresIn(asking, group);
  const messages = events.map(({ message = '' }) => message.trimEnd());
  const said = messages.map(errorText).find((text) => text !== undefined) ?? own?.LastUpdateStatusReason;
  return {
    url: logUrl(asking.there.roleArn, { region: asking.there.region, group }),
    ...(said === undefined ? {} : { said }),
    ...(messages.length > 0 ? { lines: messages.flatMap((message) => message.split(/\r?\n/)) } : {}),
  };
}

/** From a name, a name with an alias, or an ARN. */
function functionName(given: string | undefined): string | undefined {
  return given?.startsWith('arn:') ? given.split(':')[6] : given?.split(':')[0];
}

async function failuresIn(asking: Asking, logGroupName: string): Promise<readonly FilteredLogEvent[]> {
  const window = { startTime: asking.from.getTime(), endTime: asking.until.getTime() + slackMs };
  const all: FilteredLogEvent[] = [];
  let next: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const input = { logGroupName, ...window, filterPattern: failureWords, ...(next ? { nextToken: next } : {}) };
    const { events = [], nextToken } = await asking.call(
      'logs',
      'logs:FilterLogEvents',
      `log-group:${logGroupName}:*`,
      (api) => api.filterLogEvents(input),
    );
    all.push(...events);
    // An empty page may still have a successor.
    if (nextToken === undefined) break;
    next = nextToken;
  }
  return all;
}

/** `ErrorType: message` of the payload that runtimes write as JSON, or the line that says the failure in words. */
function errorText(message: string): string | undefined {
  const type = /"errorType"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(message)?.[1];
  const text = /"errorMessage"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(message)?.[1];
  if (text !== undefined) return [type, unquoted(text)].filter(Boolean).join(': ');
  const plain = /(Task timed out after [\d.]+ seconds|(?:Process|Runtime) exited[^\n]*)/.exec(message)?.[1];
  return plain ?? /^\[ERROR\]\s*([^\n]+)/.exec(message)?.[1];
}

function unquoted(json: string): string {
  try {
    return String(JSON.parse(`"${json}"`));
  } catch {
    return json;
  }
}
