import type { BuildEnvironment } from './buildspec.ts';
import type { Cursor } from './document.ts';
import { refusedEnvironmentName } from './environment.ts';
import { buildspecKeys } from './keys.ts';
import { readTexts, readYesNo } from './read-values.ts';

export function readEnvironment(cursor: Cursor, notes: string[]): BuildEnvironment {
  cursor.keys(buildspecKeys.env);
  const parameterStore = readVariables(cursor.at('parameter-store'));
  const secretsManager = readVariables(cursor.at('secrets-manager'));
  checkReferences(cursor.at('parameter-store'), /./, 'Write the name of a parameter.');
  checkReferences(
    cursor.at('secrets-manager'),
    /^(arn(:[^:]+){6}|[^:]+)(:[^:]*){0,3}$/,
    'Write secret-id, or secret-id:json-key:version-stage:version-id.',
  );
  if (readYesNo(cursor.at('git-credential-helper'))) notes.push('git-credential-helper has no effect here.');
  return {
    shell: readShell(cursor.at('shell')),
    variables: readVariables(cursor.at('variables')),
    parameterStore,
    secretsManager,
    exportedVariables: readExported(cursor.at('exported-variables'), { ...parameterStore, ...secretsManager }),
  };
}

function readShell(cursor: Cursor): BuildEnvironment['shell'] {
  const text = cursor.text();
  if (text === undefined || text === '/bin/sh' || text === 'sh') return '/bin/sh';
  if (text === 'bash' || text === '/bin/bash') return '/bin/bash';
  cursor.complain(
    `The shell ${text.slice(0, 40)} is not run here.`,
    'Write bash or /bin/sh; Windows shells need AWS CodeBuild.',
    'CP-B-11',
  );
  return '/bin/sh';
}

function readVariables(cursor: Cursor): Readonly<Record<string, string>> {
  const entries = cursor.keys().flatMap((name): [string, string][] => {
    const refusal = refusedEnvironmentName(name) ?? reserved(name);
    const value = cursor.at(name);
    if (refusal !== undefined) value.complain(refusal, '');
    return [[name, value.text() ?? '']];
  });
  return Object.fromEntries(entries);
}

function checkReferences(cursor: Cursor, form: RegExp, mend: string): void {
  if (cursor.faulty()) return;
  for (const name of cursor.keys()) {
    const reference = cursor.at(name).text() ?? '';
    if (!form.test(reference)) cursor.at(name).complain(`${name} asks for "${reference.slice(0, 80)}".`, mend);
  }
}

function reserved(name: string): string | undefined {
  return name.startsWith('CODEBUILD_')
    ? `${name} is reserved: names that begin with CODEBUILD_ are set by the build itself. Choose another name.`
    : undefined;
}

/** Secrets are never handed on as variables, and neither are credentials (CP-B-6). */
function readExported(cursor: Cursor, secrets: Readonly<Record<string, string>>): readonly string[] {
  const names = readTexts(cursor);
  for (const [index, name] of names.entries()) {
    const item = cursor.items()[index];
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      item?.complain(`"${name.slice(0, 60)}" is not a name of a variable.`, 'Use letters, digits and underscores.');
    else if (Object.hasOwn(secrets, name))
      item?.complain(`${name} is a secret and cannot be exported.`, 'Remove it from exported-variables.', 'CP-B-6');
    else if (name.startsWith('AWS_'))
      item?.complain(
        `${name} cannot be exported.`,
        'Export the value under a name that does not begin with AWS_.',
        'CP-B-6',
      );
  }
  return names;
}
