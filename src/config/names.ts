import { z } from 'zod';
import { rule } from './schema-problems.ts';

/** Names from files become check names, paths and log keys: fixed alphabets keep them harmless there (SEC-C-08). */

function named(pattern: RegExp, what: string, mend: string) {
  const holds = rule((value: string) => pattern.test(value), `is not ${what}.`, mend);
  return z.string().check(holds).meta({ pattern: pattern.source, description: mend });
}

export const pipelineName = named(
  /^(?![.-])[A-Za-z0-9._-]{1,100}$/,
  'a name for a pipeline',
  'Use up to 100 letters, digits, dots, dashes and underscores, beginning with a letter, digit or underscore.',
);

/** CodeBuild's own alphabet for project names. */
export const projectName = named(
  /^[A-Za-z0-9][A-Za-z0-9_-]{1,149}$/,
  "a CodeBuild project's name",
  'Use 2 to 150 letters, digits, dashes and underscores, beginning with a letter or digit.',
);

/** CodePipeline's alphabet for stages and actions. */
export const stageName = named(
  /^[A-Za-z0-9.@_-]{1,100}$/,
  "a stage's name",
  'Write the name as it stands in the definition.',
);

export const gateName = named(
  /^[A-Za-z0-9.@_-]{1,100}\/[A-Za-z0-9.@_-]{1,100}$/,
  'the name of a gate',
  'Write Stage/Action, as in the definition.',
);

/** From the root of the repository, with no way out of it. */
export const repositoryPath = z
  .string()
  .check(
    rule(
      isRepositoryPath,
      'is not a path inside the repository.',
      'Write it from the root of the repository with forward slashes, such as ci/web.pipeline.json: without `..`, a leading `/` or `-`.',
    ),
  );

function isRepositoryPath(path: string): boolean {
  if (path.length === 0 || path.length > 500 || /[\p{Cc}\\:]/u.test(path)) return false;
  return path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !part.startsWith('-') && part !== '.git');
}

const denied =
  /^(?:LD_.*|DYLD_.*|GIT_.*|CODEBUILD_.*|AWS_.*|PATH|HOME|IFS|ENV|BASH_ENV|NODE_OPTIONS|PYTHON(?:PATH|HOME|STARTUP)|PERL5(?:LIB|OPT)|RUBY(?:LIB|OPT)|JAVA_TOOL_OPTIONS)$/;
const allowedAws = new Set(['AWS_REGION', 'AWS_DEFAULT_REGION']);

/** Names that change which code a shell or a tool runs are not for a file to set (SEC-C-09). */
export const variableName = z.string().check(
  rule(
    (name) => /^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(name),
    'is not a name for a variable.',
    'Use letters, digits and underscores, not beginning with a digit.',
  ),
  rule(
    (name) => !denied.test(name) || allowedAws.has(name),
    'is set by Penstock or changes what a shell loads, so a file cannot set it.',
    'Choose another name, or export it in the commands of the buildspec.',
  ),
);

export const githubLogin = named(
  /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?$/,
  'a GitHub login',
  'Write the login without `@`, exactly; there are no patterns.',
);

export const teamName = named(
  /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\/[A-Za-z0-9_-]{1,100}$/,
  'a team',
  'Write organisation/team-slug, exactly, without `@`.',
);
