import { randomBytes } from 'node:crypto';
import { insertApiKey, type ApiKey } from '../db/api-keys.ts';
import { adminScope } from '../db/api-pipelines.ts';
import { ApiError } from './api-error.ts';
import type { Caller, Door } from './door.ts';
import { openSession, unknownToken } from './session-credentials.ts';
import { readClaim, verifySignature, type Claim, type SignedRequest } from './sigv4.ts';

type KeyDoor = Pick<Door, 'keys' | 'secret' | 'now' | 'account'>;

/** Who signed, and what the signature was made with: an upload in signed chunks is checked with it further on. */
export interface Authenticated {
  readonly caller: Caller;
  readonly claim?: Claim;
  readonly secretAccessKey?: string;
}

/** Throws MissingAuthenticationTokenException and the exceptions of CP-W-12. */
export async function authenticate(
  door: KeyDoor,
  request: SignedRequest,
  { service, payloadHash }: { readonly service: 'codepipeline' | 's3'; readonly payloadHash: string },
): Promise<Authenticated> {
  const claim = readClaim(request);
  if (!claim) throw new ApiError('MissingAuthenticationTokenException', 'Request is missing Authentication Token');
  const { caller, secretAccessKey } = await holderOf(door, claim);
  verifySignature(request, claim, { secret: secretAccessKey, service, payloadHash, now: door.now() });
  return { caller, claim, secretAccessKey };
}

async function holderOf(door: KeyDoor, claim: Claim): Promise<Required<Omit<Authenticated, 'claim'>>> {
  if (claim.sessionToken !== undefined) {
    const { secretAccessKey, scope, objects, job } = openSession(door, claim.accessKeyId, claim.sessionToken);
    const arn = `arn:aws:sts::${door.account}:assumed-role/penstock-worker/${claim.accessKeyId}`;
    const own = job === undefined ? {} : { job };
    return { secretAccessKey, caller: { arn, scope, readOnly: false, mayApprove: false, objects, ...own } };
  }
  const key = await door.keys.find(claim.accessKeyId);
  if (!key) throw unknownToken();
  return {
    secretAccessKey: key.secretAccessKey,
    caller: {
      arn: `arn:aws:iam::${door.account}:user/penstock/${key.accessKeyId}`,
      scope: key.repositoryId ?? adminScope,
      readOnly: key.readOnly,
      mayApprove: key.mayApprove,
    },
  };
}

/** Of a door that was opened with `--anonymous`: everybody who reaches it may do everything. */
export function anonymousCaller({ account }: Pick<Door, 'account'>): Caller {
  return {
    arn: `arn:aws:iam::${account}:user/penstock/anonymous`,
    scope: adminScope,
    readOnly: false,
    mayApprove: true,
  };
}

/** The secret is shown once, here. */
export async function makeApiKey(
  { db, secret }: Pick<Door, 'db' | 'secret'>,
  key: Pick<ApiKey, 'repositoryId' | 'readOnly' | 'mayApprove'>,
): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }> {
  const accessKeyId = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const secretAccessKey = randomBytes(30).toString('base64url');
  const sealedSecret = secret.seal(secretAccessKey, `API key ${accessKeyId}`);
  await insertApiKey(db, { accessKeyId, sealedSecret, ...key });
  return { accessKeyId, secretAccessKey };
}
