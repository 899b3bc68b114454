import { parse } from 'yaml';
import type { PullRequestEventName, TriggerFilters } from '../../src/pipeline/definition.ts';
import { readDefinition } from '../../src/pipeline/read-definition.ts';
import { decideTrigger, type TriggerEvent } from '../../src/pipeline/triggers.ts';

/** Scenarios of the parts of the core that have no state: a declaration or events go in, and what is said comes out. */

/** The second part is the declaration as a person writes it. */
export function runDeclaration(text: string): string {
  const read = readDefinition(text, 'pipeline.yml');
  const told = (read.ok ? read.warnings : read.problems).map(
    ({ severity, line, column, rule, exception, message, mend }) =>
      [`${line}:${column} ${severity} ${rule ?? '-'} ${exception ?? '-'}`, message, mend].join('\n  '),
  );
  return [...told, read.ok ? 'accepted' : 'refused'].join('\n');
}

/** The first part names filters; each line of the second is one of those names and an event. */
export function runTriggers(filters: Readonly<Record<string, TriggerFilters>>, lines: readonly string[]): string {
  return lines
    .map((line) => {
      if (line.startsWith('#')) return line;
      const [name = '', event = ''] = line.split(/: (.*)/);
      const { starts, reason, warnings } = decideTrigger(filters[name] ?? {}, eventOf(event));
      return [`> ${line}`, `${starts ? 'starts' : 'does not start'}: ${reason}`, ...warnings].join('\n  ');
    })
    .join('\n');
}

/** `push <branch> <files>`, `new-branch <branch> <files>`, `tag <name>`, `pull-request <EVENT> <head> -> <base> <files>`. */
function eventOf(text: string): TriggerEvent {
  const [kind, first = '', ...rest] = text.split(' ');
  switch (kind) {
    case 'push':
    case 'new-branch':
      return { kind: 'push-branch', branch: first, created: kind === 'new-branch', paths: rest, truncated: false };
    case 'tag':
      return { kind: 'push-tag', tag: first };
    case 'pull-request': {
      const [, , baseBranch = '', ...paths] = rest;
      const event = first as PullRequestEventName;
      return { kind: 'pull-request', event, baseBranch, paths, truncated: false };
    }
    default:
      throw new Error(`The scenario says '${text}', which is not a known event.`);
  }
}

export function filtersIn(head: string): Record<string, TriggerFilters> {
  return (parse(head) as { filters: Record<string, TriggerFilters> }).filters;
}
