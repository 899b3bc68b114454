import type { Problem } from '../pipeline/problem.ts';
import { openDocument, type Cursor } from './document.ts';
import { buildspecKeys } from './keys.ts';
import { readArtifacts, readCache, readReports } from './read-outputs.ts';
import { readEnvironment } from './read-environment.ts';
import { readPhases, runAsNote } from './read-phases.ts';
import { readYesNo } from './read-values.ts';
import type { Buildspec } from './buildspec.ts';

export type BuildspecRead =
  { readonly ok: true; readonly buildspec: Buildspec } | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads a buildspec (CP 9.1). Never throws; every problem has its line, column and mend. */
export function readBuildspec(text: string, file: string): BuildspecRead {
  const reader = openDocument(text, file);
  if (reader.problems.length > 0) return { ok: false, problems: reader.problems };
  if (reader.root.node === undefined)
    reader.root.complain('The buildspec is empty.', 'Write at least version: 0.2 and phases with commands.');
  reader.root.keys();
  if (reader.problems.length > 0) return { ok: false, problems: reader.problems };
  const notes: string[] = [];
  const buildspec = readTop(reader.root, notes);
  return reader.problems.length > 0 ? { ok: false, problems: reader.problems } : { ok: true, buildspec };
}

function readTop(root: Cursor, notes: string[]): Buildspec {
  root.keys(buildspecKeys.top);
  if (root.at('run-as').text() !== undefined) notes.push(runAsNote);
  if (root.at('batch').node !== undefined) {
    root
      .at('batch')
      .complain(
        'Batch builds do not run on the embedded engine.',
        'Remove batch:, or write one action per build; actions with the same runOrder run in parallel.',
      );
  }
  readProxy(root.at('proxy'), notes);
  const env = readEnvironment(root.at('env'), notes);
  const artifacts = root.at('artifacts');
  const read = readArtifacts(artifacts, notes);
  const cache = readCache(root.at('cache'), notes);
  return {
    version: readVersion(root),
    env,
    phases: readPhases(root, notes),
    reports: readReports(root.at('reports')),
    ...(read.primary === undefined ? {} : { artifacts: read.primary }),
    secondaryArtifacts: read.secondary,
    ...(cache === undefined ? {} : { cache }),
    notes,
  };
}

function readVersion(root: Cursor): '0.1' | '0.2' {
  const cursor = root.at('version');
  const text = cursor.text();
  if (text === '0.1' || text === '0.2') return text;
  const message = text === undefined ? 'The version is missing.' : `The version ${text.slice(0, 20)} is not known.`;
  if (!cursor.faulty() && !root.misspells('version')) cursor.complain(message, 'Write version: 0.2');
  return '0.2';
}

function readProxy(cursor: Cursor, notes: string[]): void {
  const keys = cursor.keys(buildspecKeys.proxy);
  for (const key of keys) readYesNo(cursor.at(key));
  if (keys.length > 0) notes.push('proxy: has no effect here; artifacts and logs stay on this machine.');
}
