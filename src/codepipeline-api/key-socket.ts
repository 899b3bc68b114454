import { chmod, rm } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { describeError, UserError } from '../errors.ts';
import type { KeyBook } from './key-book.ts';

/**
 * `<home>/api.sock`, for the owner of the directory only: the embedded database has one process, so `penstock api-key`
 * asks that one.
 */

const asked = z.discriminatedUnion('verb', [
  z.strictObject({
    verb: z.literal('create'),
    repository: z.string().nullable(),
    readOnly: z.boolean(),
    mayApprove: z.boolean(),
  }),
  z.strictObject({ verb: z.literal('list') }),
  z.strictObject({ verb: z.literal('revoke'), key: z.string() }),
]);
type Asked = z.infer<typeof asked>;

const reply = z.union([z.object({ value: z.unknown() }), z.object({ problem: z.string() })]);

/** Answers how to stop. The caller holds the lock of the home, so a socket file that is there is left over. */
export async function serveKeys(home: string, book: KeyBook): Promise<() => Promise<void>> {
  const path = socketOf(home);
  await rm(path, { force: true });
  const server = createServer((request, response) => {
    void (async () => {
      try {
        const value = await perform(book, asked.parse(JSON.parse(await text(request))));
        response.end(JSON.stringify({ value: value ?? null }));
      } catch (error) {
        const problem = error instanceof UserError ? error.message : describeError(error);
        response.end(JSON.stringify({ problem }));
      }
    })();
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  await chmod(path, 0o600);
  return () => new Promise((resolve) => server.close(() => resolve()));
}

function perform(book: KeyBook, command: Asked): Promise<unknown> {
  switch (command.verb) {
    case 'create':
      return book.create(command);
    case 'list':
      return book.list();
    case 'revoke':
      return book.revoke(command.key);
    default:
      return command satisfies never;
  }
}

const madeKey = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() });

/** The keys of the process that serves in this home; `undefined` when none does. */
export async function keysOfProcess(home: string): Promise<KeyBook | undefined> {
  const ask = async (command: Asked): Promise<unknown> => {
    const told = reply.parse(JSON.parse(await post(socketOf(home), JSON.stringify(command))));
    if ('problem' in told) throw new UserError(told.problem);
    return told.value;
  };
  try {
    await ask({ verb: 'list' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw error;
  }
  return {
    create: async (key) => madeKey.parse(await ask({ verb: 'create', ...key })),
    list: async () => z.array(z.string()).parse(await ask({ verb: 'list' })),
    revoke: async (key) => void (await ask({ verb: 'revoke', key })),
  };
}

function post(socketPath: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ socketPath, method: 'POST', path: '/' }, (response) => {
      text(response).then(resolve, reject);
    });
    sent.once('error', reject).end(body);
  });
}

function socketOf(home: string): string {
  return join(home, 'api.sock');
}
