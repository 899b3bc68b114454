import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { TransientError } from '../errors.ts';
import { controlSocket } from '../web/control.ts';

export type ControlAnswer =
  | { readonly kind: 'answered'; readonly body: unknown }
  | { readonly kind: 'not-found' }
  /** No process of this home runs. */
  | { readonly kind: 'nobody' };

/** Asks the Penstock that runs with this home. Throws TransientError when it does not answer properly. */
export async function askControl(home: string, path: string, method: 'GET' | 'POST' = 'GET'): Promise<ControlAnswer> {
  const answer = await ask(controlSocket(home), path, method).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw error;
  });
  if (answer === undefined) return { kind: 'nobody' };
  const body = await text(answer);
  if (answer.statusCode === 404) return { kind: 'not-found' };
  if (answer.statusCode !== 200)
    throw new TransientError(`The running Penstock answered ${answer.statusCode} to ${path}`);
  return { kind: 'answered', body: JSON.parse(body) as unknown };
}

function ask(socketPath: string, path: string, method: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method, headers: { connection: 'close' } }, resolve);
    asked.setTimeout(10_000, () => asked.destroy(new TransientError('The running Penstock does not answer')));
    asked.once('error', reject).end();
  });
}
