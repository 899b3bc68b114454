import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ApiError } from './api-error.ts';
import type { Door, SessionObjects } from './door.ts';
import { sameText } from './sigv4.ts';

/**
 * Short-lived credentials for the artifacts of one worker job (CP-J-5), and for a function also for the answer.
 * Nothing is stored: the token says it all.
 */

const claims = z.strictObject({
  id: z.string(),
  until: z.number(),
  scope: z.number(),
  read: z.array(z.string()),
  write: z.array(z.string()),
  job: z.string().optional(),
});
type Claims = z.infer<typeof claims>;

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

type SessionDoor = Pick<Door, 'secret' | 'now'>;

export interface SessionGiven {
  readonly scope: number;
  readonly objects: SessionObjects;
  readonly minutes: number;
  /** The one worker job whose result may be put with them. */
  readonly job?: string;
}

export function makeSession({ secret, now }: SessionDoor, given: SessionGiven): SessionCredentials {
  const accessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const until = now().getTime() + given.minutes * 60_000;
  const said: Claims = {
    id: accessKeyId,
    until,
    scope: given.scope,
    read: [...given.objects.read],
    write: [...given.objects.write],
    ...(given.job === undefined ? {} : { job: given.job }),
  };
  const body = Buffer.from(JSON.stringify(said)).toString('base64url');
  const sessionToken = `${body}.${secret.sign('session token', body)}`;
  return { accessKeyId, secretAccessKey: secret.sign('session secret', sessionToken), sessionToken };
}

/** Throws ExpiredTokenException, or UnrecognizedClientException for a token that is not ours. */
export function openSession(
  { secret, now }: SessionDoor,
  accessKeyId: string,
  sessionToken: string,
): {
  readonly secretAccessKey: string;
  readonly scope: number;
  readonly objects: SessionObjects;
  readonly job: string | undefined;
} {
  const [body = '', signature = ''] = sessionToken.split('.');
  if (!sameText(signature, secret.sign('session token', body))) throw unknownToken();
  const { id, until, scope, read, write, job } = claims.parse(JSON.parse(Buffer.from(body, 'base64url').toString()));
  if (id !== accessKeyId) throw unknownToken();
  if (until < now().getTime()) {
    throw new ApiError('ExpiredTokenException', 'The security token included in the request is expired');
  }
  return { secretAccessKey: secret.sign('session secret', sessionToken), scope, objects: { read, write }, job };
}

export function unknownToken(): ApiError {
  return new ApiError('UnrecognizedClientException', 'The security token included in the request is invalid.');
}
