import { parseArgs } from 'node:util';
import type { Kysely } from 'kysely';
import { makeApiKey } from '../codepipeline-api/authenticate.ts';
import { openServerSecret } from '../codepipeline-api/server-secret.ts';
import { listApiKeys, revokeApiKey, type ApiKey } from '../db/api-keys.ts';
import type { Database } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { findRepository, loadRepository } from '../db/repositories.ts';
import { UserError } from '../errors.ts';
import { settingsWithoutApp } from './app-environment.ts';
import { ArgumentError } from './arguments.ts';
import type { CliIo } from './command.ts';
import { openTarget } from './executions-source.ts';

/** Makes, lists and revokes access keys of the CodePipeline API. */
export async function runApiKey(args: readonly string[], io: CliIo): Promise<number> {
  const asked = readArguments(args);
  const settings = settingsWithoutApp(io.env);
  const database = await openTarget(settings);
  try {
    await migrate(database.db);
    switch (asked.verb) {
      case 'create':
        return await create(database.db, settings.home, asked, io);
      case 'list':
        return await list(database.db, io);
      case 'revoke':
        return await revoke(database.db, asked.key, io);
      default:
        return asked satisfies never;
    }
  } finally {
    await database.close();
  }
}

type Asked =
  | { readonly verb: 'create'; readonly repository: string | null; readonly readOnly: boolean }
  | { readonly verb: 'list' }
  | { readonly verb: 'revoke'; readonly key: string };

function readArguments(args: readonly string[]): Asked {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      repository: { type: 'string' },
      admin: { type: 'boolean', default: false },
      'read-only': { type: 'boolean', default: false },
    },
  });
  const [verb, key, ...more] = positionals;
  const { repository, admin, 'read-only': readOnly } = values;
  if (verb === 'create' && key === undefined) {
    if (admin === (repository !== undefined)) {
      throw new ArgumentError(
        'A key is bound to one repository or is an admin key: give --repository owner/name or --admin.',
      );
    }
    return { verb, repository: repository ?? null, readOnly };
  }
  if (verb === 'list' && key === undefined) return { verb };
  if (verb === 'revoke' && key !== undefined && more.length === 0) return { verb, key };
  throw new ArgumentError('Say api-key create, api-key list or api-key revoke <access key id>.');
}

async function create(
  db: Kysely<Database>,
  home: string,
  { repository, readOnly }: Extract<Asked, { verb: 'create' }>,
  io: CliIo,
): Promise<number> {
  const repositoryId = repository === null ? null : await repositoryIdOf(db, repository);
  const made = await makeApiKey({ db, secret: await openServerSecret(home) }, { repositoryId, readOnly });
  io.out(`aws_access_key_id = ${made.accessKeyId}`);
  io.out(`aws_secret_access_key = ${made.secretAccessKey}`);
  io.err('The secret is shown this once. Put both lines into a profile of ~/.aws/credentials.');
  return 0;
}

async function repositoryIdOf(db: Kysely<Database>, text: string): Promise<number> {
  const [owner = '', name = '', ...more] = text.split('/');
  const found = more.length === 0 && owner !== '' && name !== '' ? await findRepository(db, owner, name) : null;
  if (found) return found.id;
  throw new UserError(
    `The repository ${text} is not known here. Write owner/name of one that the GitHub App is installed on and that sent an event, or make an admin key.`,
  );
}

async function list(db: Kysely<Database>, io: CliIo): Promise<number> {
  const keys = await listApiKeys(db);
  for (const key of keys) io.out(await describe(db, key));
  if (keys.length === 0) io.out('There is no key. Make one with penstock api-key create --admin.');
  return 0;
}

async function describe(db: Kysely<Database>, key: ApiKey): Promise<string> {
  const repository = key.repositoryId === null ? null : await loadRepository(db, key.repositoryId);
  const binding =
    key.repositoryId === null ? 'admin' : `${repository?.owner ?? '?'}/${repository?.name ?? key.repositoryId}`;
  const state = key.revokedAt === null ? '' : `, revoked ${key.revokedAt.toISOString()}`;
  return `${key.accessKeyId}  ${binding}${key.readOnly ? ', read-only' : ''}, made ${key.createdAt.toISOString()}${state}`;
}

async function revoke(db: Kysely<Database>, key: string, io: CliIo): Promise<number> {
  if (!(await revokeApiKey(db, key))) {
    throw new UserError(`There is no key ${key} that could be revoked. See penstock api-key list.`);
  }
  io.out(`Revoked ${key}.`);
  return 0;
}
