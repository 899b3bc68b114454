import { phaseNames, type OnFailure, type Phase } from './buildspec.ts';
import type { Cursor } from './document.ts';
import { buildspecKeys } from './keys.ts';
import { readTexts } from './read-values.ts';

export const runAsNote = 'run-as has no effect here: all commands run as one unprivileged user.';

export function readPhases(root: Cursor, notes: string[]): readonly Phase[] {
  const cursor = root.at('phases');
  if (cursor.node === undefined && !root.misspells('phases'))
    cursor.complain(
      'The buildspec has no phases.',
      'Write phases: with at least one of install, pre_build, build and post_build.',
    );
  const written = cursor.keys(buildspecKeys.phases);
  const phases = phaseNames
    .filter((name) => written.includes(name))
    .map((name) => readPhase(cursor.at(name), name, notes));
  if (cursor.node !== undefined && !cursor.faulty() && phases.every(({ commands }) => commands.length === 0)) {
    cursor.complain('No phase has commands.', 'Write commands: with a list under one of the phases.');
  }
  return phases;
}

function readPhase(cursor: Cursor, name: Phase['name'], notes: string[]): Phase {
  cursor.keys([...buildspecKeys.phase, ...(name === 'install' ? buildspecKeys.install : [])]);
  if (cursor.at('run-as').text() !== undefined && !notes.includes(runAsNote)) notes.push(runAsNote);
  const runtimes = cursor.at('runtime-versions').keys();
  if (runtimes.length > 0)
    notes.push(`runtime-versions (${runtimes.join(', ')}) has no effect here: the versions of this machine are used.`);
  return {
    name,
    onFailure: readOnFailure(cursor.at('on-failure')),
    commands: readTexts(cursor.at('commands')),
    finally: readTexts(cursor.at('finally')),
  };
}

const defaultRetries = 3;

/** ABORT, CONTINUE, RETRY, RETRY-<count>, RETRY-<regex>, RETRY-<count>-<regex>; a count is 0 to 100. */
function readOnFailure(cursor: Cursor): OnFailure {
  const text = cursor.text();
  if (text === undefined) return { kind: 'default' };
  if (text === 'ABORT' || text === 'CONTINUE') return { kind: text === 'ABORT' ? 'abort' : 'continue' };
  const match = /^RETRY(?:-(\d+)(?=-|$))?(?:-([^]+))?$/.exec(text);
  const count = Number(match?.[1] ?? defaultRetries);
  if (match === null || count > 100 || (match[2]?.length ?? 0) > 500 || !isPattern(match[2] ?? '')) {
    cursor.complain(
      `on-failure is "${text.slice(0, 60)}".`,
      'Write ABORT, CONTINUE, RETRY, RETRY-<0 to 100>, RETRY-<pattern> or RETRY-<count>-<pattern>; a pattern is one for grep -E.',
      'CP-B-3',
    );
    return { kind: 'default' };
  }
  return { kind: 'retry', count, ...(match[2] === undefined ? {} : { pattern: match[2] }) };
}

/** `3-` is a count whose pattern was forgotten. What no kind of regular expression allows is told here, not when it is tried. */
function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp && !/^\d+-$/.test(text);
  } catch {
    return false;
  }
}
