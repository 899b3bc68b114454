import { parseArgs } from 'node:util';
import { keyBook, type KeyBook } from '../codepipeline-api/key-book.ts';
import { keysOfProcess } from '../codepipeline-api/key-socket.ts';
import { openServerSecret } from '../codepipeline-api/server-secret.ts';
import { migrate } from '../db/migrate.ts';
import { homeOf, settingsWithoutApp } from './app-environment.ts';
import { ArgumentError } from './arguments.ts';
import type { CliIo } from './command.ts';
import { openTarget } from './look.ts';

/** Makes, lists and revokes access keys of the CodePipeline API, in the running process or in the database itself. */
export async function runApiKey(args: readonly string[], io: CliIo): Promise<number> {
  const asked = readArguments(args);
  const running = await keysOfProcess(homeOf(io.env));
  if (running) return obey(running, asked, io);
  const settings = settingsWithoutApp(io.env);
  const database = await openTarget(settings);
  try {
    await migrate(database.db);
    return await obey(keyBook({ db: database.db, secret: await openServerSecret(settings.home) }), asked, io);
  } finally {
    await database.close();
  }
}

async function obey(book: KeyBook, asked: Asked, io: CliIo): Promise<number> {
  switch (asked.verb) {
    case 'create': {
      const made = await book.create(asked);
      io.out(`aws_access_key_id = ${made.accessKeyId}`);
      io.out(`aws_secret_access_key = ${made.secretAccessKey}`);
      io.err('The secret is shown this once. Put both lines into a profile of ~/.aws/credentials.');
      return 0;
    }
    case 'list': {
      const lines = await book.list();
      for (const line of lines) io.out(line);
      if (lines.length === 0) io.out('There is no key. Make one with penstock api-key create --admin.');
      return 0;
    }
    case 'revoke':
      await book.revoke(asked.key);
      io.out(`Revoked ${asked.key}.`);
      return 0;
    default:
      return asked satisfies never;
  }
}

type Asked =
  | {
      readonly verb: 'create';
      readonly repository: string | null;
      readonly readOnly: boolean;
      readonly mayApprove: boolean;
    }
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
      'may-approve': { type: 'boolean', default: false },
    },
  });
  const [verb, key, ...more] = positionals;
  const { repository, admin, 'read-only': readOnly, 'may-approve': mayApprove } = values;
  if (verb === 'create' && key === undefined) {
    if (admin === (repository !== undefined)) {
      throw new ArgumentError(
        'A key is bound to one repository or is an admin key: give --repository owner/name or --admin.',
      );
    }
    if (mayApprove && (readOnly || repository === undefined)) {
      throw new ArgumentError('--may-approve goes with --repository, and not with --read-only.');
    }
    return { verb, repository: repository ?? null, readOnly, mayApprove };
  }
  if (verb === 'list' && key === undefined) return { verb };
  if (verb === 'revoke' && key !== undefined && more.length === 0) return { verb, key };
  throw new ArgumentError('Say api-key create, api-key list or api-key revoke <access key id>.');
}
