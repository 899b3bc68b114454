import { editDistance } from '../pipeline/closest.ts';
import type { Verb } from './command.ts';
import { verbs } from './verbs.ts';

/** Words that other bots listen to and that are spelled like ours; never answered (peers-and-ux 3.1). */
const othersWords: ReadonlySet<string> = new Set([
  'assign', 'cc', 'cherry-pick', 'cherrypick', 'close', 'deploy', 'hold-cancel', 'kind', 'label', 'lgtm', 'lock',
  'merge', 'milestone', 'pipelines', 'ping', 'priority', 'queue', 'rebase', 'relabel', 'remove', 'reopen', 'retest',
  'review', 'shrug', 'sig', 'skip', 'start', 'state', 'step', 'test', 'triage', 'unapprove', 'unassign', 'unhold',
  'unlock', 'unlabel', 'update', 'verify', 'wip',
]); // prettier-ignore

/** What people call our verbs elsewhere; suggested only when they name us. */
const synonyms: Readonly<Record<string, Verb>> = {
  abort: 'stop',
  cancel: 'stop',
  deny: 'reject',
  explain: 'why',
  freeze: 'hold',
  lgtm: 'approve',
  restart: 'rerun',
  retest: 'retry',
  revert: 'rollback',
  start: 'run',
  test: 'run',
  unfreeze: 'release',
  unhold: 'release',
};

/** The verb that a bare word was meant to be; undefined when it may well be for somebody else. */
export function nearVerb(word: string): Verb | undefined {
  const lower = word.toLowerCase().replace(/[.,:;!?]+$/, '');
  if (lower.length < 4 || lower.length > 16 || othersWords.has(lower)) return undefined;
  return closest(lower);
}

/** The same for a word after `/penstock`, where nobody else is meant. */
export function nearVerbOfOurs(word: string): Verb | undefined {
  const lower = word.toLowerCase().slice(0, 40);
  return (Object.hasOwn(synonyms, lower) ? synonyms[lower] : undefined) ?? closest(lower);
}

function closest(word: string): Verb | undefined {
  const near = verbs
    .map((verb) => ({ verb, distance: editDistance(word, verb) }))
    .filter(({ verb, distance }) => distance <= (verb.length <= 5 ? 1 : 2))
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.verb;
}
