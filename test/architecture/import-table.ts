import type { Import, SourceFile } from './source.ts';

/**
 * Who may import whom (docs/architecture.md). The first entry that fits a file decides.
 * `values` may be imported freely, `types` only by `import type`. A pattern that ends in `/` means a folder,
 * one that ends in `*` a beginning.
 */
interface Row {
  readonly files: readonly string[];
  readonly packages: readonly string[];
  readonly values: readonly string[];
  readonly types: readonly string[];
}

const pure = ['src/pipeline/', 'src/commands/', 'src/render/'];
const ports = ['src/engine/engine.ts', 'src/github/github.ts', 'src/github/event.ts', 'src/providers/provider.ts'];
const errors = 'src/errors.ts';

const importTable: readonly Row[] = [
  { files: ['src/pipeline/'], packages: ['zod', 'yaml', 'node:crypto'], values: ['src/pipeline/'], types: [] },
  {
    files: ['src/commands/'],
    packages: ['zod', 'node:crypto', 'mdast-util-from-markdown', 'mdast'],
    values: ['src/commands/', 'src/pipeline/'],
    types: [],
  },
  { files: ['src/render/'], packages: ['node:crypto'], values: pure, types: [] },
  {
    files: ['src/config/'],
    packages: ['zod', 'yaml', 'node:*'],
    values: ['src/config/', 'src/pipeline/', 'src/commands/', errors],
    types: ['src/github/github.ts', 'src/db/'],
  },
  {
    files: ['src/db/'],
    packages: ['kysely', 'kysely/migration', 'pg', '@electric-sql/*', 'zod', 'pino', 'node:*'],
    values: ['src/db/', errors, 'src/pipeline/status.ts', 'src/pipeline/digest.ts', 'src/pipeline/actor-name.ts'],
    types: [...pure, ...ports],
  },
  {
    files: ['src/github/'],
    packages: ['probot', '@octokit/*', 'bottleneck', 'pino', 'zod', 'node:*'],
    values: ['src/github/', errors],
    types: pure,
  },
  {
    files: ['src/buildspec/'],
    packages: ['zod', 'yaml', 'node:*'],
    values: [
      'src/buildspec/',
      'src/pipeline/problem.ts',
      'src/pipeline/closest.ts',
      'src/pipeline/yaml-causes.ts',
      errors,
    ],
    types: ['src/pipeline/', 'src/config/server-types.ts'],
  },
  {
    files: ['src/providers/'],
    packages: ['zod', 'yazl', 'yauzl', '@aws-sdk/*', 'node:*'],
    values: ['src/providers/', 'src/buildspec/', 'src/pipeline/problem.ts', errors],
    types: ['src/pipeline/', 'src/github/github.ts'],
  },
  {
    files: ['src/engine/engine.ts'],
    packages: ['kysely'],
    values: [],
    types: ['src/pipeline/', 'src/commands/', 'src/db/database.ts'],
  },
  {
    files: ['src/engine/embedded/'],
    packages: ['kysely', 'pino', 'zod', 'node:*'],
    values: ['src/engine/embedded/', 'src/pipeline/', 'src/providers/', 'src/db/', errors],
    types: [...ports, 'src/worker.ts'],
  },
  {
    files: ['src/engine/aws/'],
    packages: ['kysely', 'pino', 'zod', '@aws-sdk/*', 'node:*'],
    values: [
      'src/engine/aws/',
      'src/db/',
      'src/pipeline/status.ts',
      'src/pipeline/digest.ts',
      'src/pipeline/ids.ts',
      errors,
    ],
    types: ['src/pipeline/', ...ports],
  },
  {
    files: ['src/codepipeline-api/'],
    packages: ['@aws-sdk/client-codepipeline', 'kysely', 'pino', 'zod', 'node:*'],
    values: [
      'src/codepipeline-api/',
      'src/pipeline/',
      'src/engine/',
      'src/db/',
      'src/providers/in-turn.ts',
      'src/providers/key-order.ts',
      errors,
    ],
    types: [...ports, 'src/providers/artifact-store.ts', 'src/providers/stored-object.ts'],
  },
  {
    // Hands stored webhooks to the Probot application: the one handler that knows of it.
    files: ['src/handlers/delivery.ts'],
    packages: ['probot'],
    values: ['src/db/', 'src/github/webhook-event.ts'],
    types: ['src/deps.ts'],
  },
  {
    files: ['src/handlers/'],
    packages: ['kysely', 'zod', 'node:*'],
    values: ['src/handlers/', ...pure, 'src/db/', 'src/config/', errors],
    types: [...ports, 'src/deps.ts', 'src/worker.ts'],
  },
  {
    files: ['src/worker.ts'],
    packages: ['kysely', 'pino', 'node:*'],
    values: ['src/db/', errors],
    types: [],
  },
  {
    files: ['src/intake.ts'],
    packages: ['kysely', 'pino', 'hono', '@octokit/webhooks-methods', '@octokit/webhooks', 'node:*'],
    values: ['src/db/', errors],
    types: [],
  },
  { files: ['src/errors.ts'], packages: [], values: [], types: [] },
  { files: ['src/deps.ts'], packages: ['kysely', 'pino'], values: [], types: ['src/'] },
  {
    files: ['src/web/'],
    packages: ['hono', 'hono/*', '@hono/node-server', 'prom-client', 'yaml', 'zod', 'pino', 'node:*'],
    values: ['src/web/', 'src/pipeline/', errors],
    types: ['src/render/', ...ports],
  },
  { files: ['src/demo/github/'], packages: ['yaml', 'node:*'], values: ['src/demo/github/'], types: [] },
  {
    files: ['src/app.ts', 'src/main.ts', 'src/cli.ts', 'src/cli/', 'src/demo/', 'src/main/'],
    packages: ['*'],
    values: ['src/'],
    types: [],
  },
];

/** Nobody imports the composition roots, except each other. */
const roots = ['src/main.ts', 'src/cli.ts', 'src/cli/', 'src/demo/', 'src/app.ts'];

export function importProblems(file: SourceFile, table: readonly Row[] = importTable): string[] {
  const row = table.find((candidate) => fits(file.path, candidate.files));
  if (row === undefined) return [`${file.path}: has no row in the import table of test/architecture/import-table.ts`];
  return file.imports
    .filter((found) => !allowed(row, file.path, found))
    .map((found) => `${file.path}: must not import ${found.typesOnly ? 'types of ' : ''}${found.target}`);
}

function allowed(row: Row, from: string, found: Import): boolean {
  if (!found.own) return fits(found.target, row.packages) && !isStrayOctokit(from, found.target);
  if (fits(found.target, roots) && !fits(from, roots)) return false;
  return fits(found.target, row.values) || (found.typesOnly && fits(found.target, row.types));
}

/** GitHub's client is known in one folder; the door checks signatures with its own small part. */
function isStrayOctokit(from: string, target: string): boolean {
  return target.startsWith('@octokit/') && !fits(from, ['src/github/', 'src/intake.ts']);
}

function fits(path: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    if (pattern.endsWith('*')) return path.startsWith(pattern.slice(0, -1));
    return pattern.endsWith('/') ? path.startsWith(pattern) : path === pattern;
  });
}
