import { reportFormats, type ArtifactSet, type CacheSettings, type ReportGroup } from './buildspec.ts';
import type { Cursor } from './document.ts';
import { buildspecKeys } from './keys.ts';
import { readTexts, readYesNo } from './read-values.ts';

const maxReportGroups = 5;

interface ReadArtifacts {
  readonly primary: ArtifactSet | undefined;
  readonly secondary: ReadonlyMap<string, ArtifactSet>;
}

/** `files` of the primary block is required even when only secondary artifacts are used (CP-B-8). */
export function readArtifacts(cursor: Cursor, notes: string[]): ReadArtifacts {
  if (cursor.node === undefined) return { primary: undefined, secondary: new Map() };
  cursor.keys([...buildspecKeys.artifacts, 'secondary-artifacts']);
  if (cursor.at('name').text() !== undefined)
    notes.push('artifacts.name has no effect in a pipeline: CodePipeline names the artifact.');
  if (cursor.at('type').text() !== undefined) notes.push('artifacts.type has no effect: the artifact is always a ZIP.');
  if (cursor.at('s3-prefix').text() !== undefined) notes.push('s3-prefix has no effect in a pipeline.');
  const set = cursor.at('secondary-artifacts');
  const secondary = set.keys().map((name): [string, ArtifactSet] => [name, readSecondary(set.at(name), name)]);
  return { primary: readSet(cursor, 'CP-B-8'), secondary: new Map(secondary) };
}

function readSecondary(cursor: Cursor, name: string): ArtifactSet {
  cursor.keys(buildspecKeys.artifacts);
  if (!/^[A-Za-z0-9_]{1,127}$/.test(name)) {
    cursor.complain(
      'Invalid input: identifier must contain only alphanumeric characters and underscores.',
      `Rename "${name.slice(0, 60)}" here and in the pipeline.`,
      'CP-B-16',
    );
  }
  return readSet(cursor, 'CP-B-16');
}

function readSet(cursor: Cursor, rule: string): ArtifactSet {
  const files = readTexts(cursor.at('files'));
  if (files.length === 0 && !cursor.at('files').faulty() && !cursor.misspells('files'))
    cursor.complain(
      `${cursor.path}.files is missing.`,
      'Write files: with a list of patterns, for example "**/*".',
      rule,
    );
  return {
    files,
    baseDirectory: readDirectory(cursor.at('base-directory')),
    discardPaths: readYesNo(cursor.at('discard-paths')),
    excludePaths: readTexts(cursor.at('exclude-paths')),
    enableSymlinks: readYesNo(cursor.at('enable-symlinks')),
  };
}

/** Relative, without `..`: a build may not take files of the machine along. */
function readDirectory(cursor: Cursor): string {
  const text = (cursor.text() ?? '').replace(/^(\.\/)+/, '').replace(/\/+$/, '');
  if (text === '' || text === '.') return '';
  if (!text.startsWith('/') && !text.split('/').includes('..') && !text.includes('\0')) return text;
  cursor.complain(`${cursor.path} is "${text.slice(0, 80)}".`, 'Write a directory below the source, without "..".');
  return '';
}

export function readReports(cursor: Cursor): readonly ReportGroup[] {
  const names = cursor.keys();
  if (names.length > maxReportGroups)
    cursor.complain(`There are ${names.length} report groups.`, `Write at most ${maxReportGroups}.`, 'CP-B-10');
  return names.map((name) => {
    const group = cursor.at(name);
    group.keys(buildspecKeys.reports);
    const files = readTexts(group.at('files'));
    if (files.length === 0 && !group.at('files').faulty() && !group.misspells('files'))
      group.complain(`${group.path}.files is missing.`, 'Write files: with a list of patterns.', 'CP-B-10');
    readYesNo(group.at('discard-paths'));
    return {
      // A group that exists on AWS may be named by its ARN.
      name: /^arn:[^/]*:report-group\/(.+)$/.exec(name)?.[1] ?? name,
      files,
      baseDirectory: readDirectory(group.at('base-directory')),
      format: readFormat(group.at('file-format')),
    };
  });
}

function readFormat(cursor: Cursor): ReportGroup['format'] {
  const text = cursor.text()?.toUpperCase();
  if (text === undefined) return 'JUNITXML';
  const known = reportFormats.find((format) => format === text);
  if (known === undefined)
    cursor.complain(
      `The report format ${text.slice(0, 40)} is not known.`,
      `Write one of ${reportFormats.join(', ')}.`,
      'CP-B-10',
    );
  return known ?? 'JUNITXML';
}

export function readCache(cursor: Cursor, notes: string[]): CacheSettings | undefined {
  if (cursor.node === undefined) return undefined;
  cursor.keys(buildspecKeys.cache);
  const fallbackKeys = readTexts(cursor.at('fallback-keys'));
  if (fallbackKeys.length > 5)
    cursor.at('fallback-keys').complain(`There are ${fallbackKeys.length} fallback keys.`, 'Write at most 5.');
  const action = cursor.at('action').text();
  if (action !== undefined && action !== 'restore' && action !== 'save')
    cursor
      .at('action')
      .complain(`cache.action is "${action.slice(0, 40)}".`, 'Write restore or save, or leave it out for both.');
  const key = cursor.at('key').text();
  const paths = readTexts(cursor.at('paths'));
  const elsewhere = paths.filter((path) => /^\/(?!root\/)/.test(path));
  if (elsewhere.length > 0)
    notes.push(
      `cache.paths ${elsewhere.join(', ')} ${elsewhere.length === 1 ? 'has' : 'have'} no effect here: files of the source and of the home directory (~/) are kept.`,
    );
  return {
    paths,
    ...(key === undefined ? {} : { key }),
    fallbackKeys,
    action: action === 'restore' || action === 'save' ? action : 'both',
  };
}
