import { cronMatches, parseCron } from './cron.ts';
import { compileRegex } from './regex.ts';
import { localTime, timeZoneProblem } from './time-zone.ts';

/** Rules that need nothing but their configuration (variables resolved) and the time. */
export type RuleAnswer =
  | { readonly kind: 'succeeded' | 'failed'; readonly summary: string }
  /** Not now; ask again. */
  | { readonly kind: 'waiting'; readonly summary: string }
  /** The configuration makes no sense (CP-C-8). */
  | { readonly kind: 'errored'; readonly summary: string };

type Configuration = Readonly<Record<string, string>>;

/** Patterns and values come from pull requests and builds: the time for one is its pattern's parts times this. */
const longestValue = 4096;

/** Compares `Variable` with `Value`; MATCHES takes the whole value. */
export function variableCheck(configuration: Configuration): RuleAnswer {
  const { Variable: variable, Value: value, Operator: operator } = configuration;
  if (variable === undefined || value === undefined || operator === undefined) {
    return { kind: 'errored', summary: 'The rule needs Variable, Value and Operator.' };
  }
  if (variable.length > longestValue) {
    return { kind: 'errored', summary: `The variable has more than ${longestValue} characters.` };
  }
  const holds = compare(operator, variable, value);
  if (typeof holds === 'string') return { kind: 'errored', summary: holds };
  const words = `'${variable}' ${operator} '${value}'`;
  return holds
    ? { kind: 'succeeded', summary: `${words} holds.` }
    : { kind: 'failed', summary: `${words} does not hold.` };
}

function compare(operator: string, variable: string, value: string): boolean | string {
  switch (operator) {
    case 'EQ':
      return variable === value;
    case 'NE':
      return variable !== value;
    case 'CONTAINS':
      return variable.includes(value);
    case 'MATCHES': {
      const regex = compileRegex(value);
      return regex.ok ? regex.matches(variable) : `The pattern '${value}' cannot be used: ${regex.problem}.`;
    }
    default:
      return `The operator '${operator}' is not known; use EQ, NE, CONTAINS or MATCHES.`;
  }
}

/** Outside its window it waits until the window opens or the rule times out. */
export function deploymentWindow(configuration: Configuration, at: Date): RuleAnswer {
  const { Cron: text = '', TimeZone: zone = 'UTC' } = configuration;
  const parsed = parseCron(text);
  if (!parsed.ok) return { kind: 'errored', summary: `The rule cannot be judged: ${parsed.problem}.` };
  const problem = timeZoneProblem(zone);
  if (problem !== undefined) return { kind: 'errored', summary: `The rule cannot be judged: ${problem}.` };
  const words = `window ${text} (${zone})`;
  return cronMatches(parsed.cron, localTime(at, zone))
    ? { kind: 'succeeded', summary: `The ${words} is open.` }
    : { kind: 'waiting', summary: `Waiting for the ${words} to open.` };
}
