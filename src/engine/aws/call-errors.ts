import { classify, describeError, TransientError, UserError } from '../../errors.ts';
import type { Refusal } from '../../pipeline/protocol.ts';
import type { AwsTarget } from './port.ts';
import { refusalOf } from './refusals.ts';

/** CodePipeline said no to what a person asked, with an exception of its model. */
export class AwsRefusal extends Error {
  override readonly name = 'AwsRefusal';
  readonly refusal: Refusal;
  constructor(refusal: Refusal, cause?: unknown) {
    super(refusal.message, { cause });
    this.refusal = refusal;
  }
}

/** The binding names what is not there, or is not there any more. */
export class NoSuchPipeline extends UserError {}

/** Too many calls: nobody's mistake, and asked again later. */
export class AwsThrottled extends TransientError {}

/** The role session ended before its time; a new one is taken. */
export class AwsExpired extends TransientError {}

/** Nobody knows whether the call had its effect. */
export class AwsUnanswered extends TransientError {}

/** The role, or Penstock's own identity, lacks a permission. */
export class AwsDenied extends UserError {}

/** The call went out and nothing came back: it may have had its effect. */
export class LostAnswerError extends Error {
  override readonly name = 'LostAnswerError';
}

const throttled = new Set([
  'ThrottlingException',
  'Throttling',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'RequestThrottled',
  'SlowDown',
]);

const expired = new Set(['ExpiredTokenException', 'ExpiredToken', 'RequestExpired']);

/** The next attempt signs anew, or finds the other side up again. */
const passing = new Set([
  'LostAnswerError',
  ...expired,
  'TimeoutError',
  'RequestTimeout',
  'AbortError',
  'InternalFailure',
  'InternalServerError',
  'ServiceUnavailable',
  'ServiceUnavailableException',
]);

const denied = new Set([
  'AccessDeniedException',
  'AccessDenied',
  'KMSAccessDeniedException',
  'KmsAccessDenied',
  'UnauthorizedOperation',
]);

/** The pipeline is full or busy: nobody's mistake, so the call waits for its turn (CP-X-10, CP-X-12, SEC-F-23). */
const busy = new Map([
  ['ConcurrentPipelineExecutionsLimitExceededException', 60_000],
  ['ConflictException', 5_000],
]);

/**
 * Runs one call and tells its errors apart: try later, mend a permission, refused, or broken. `call` is an operation of
 * CodePipeline (`GetPipeline`), or an IAM action of another service (`ecs:DescribeTasks`) with the ARN that it is about.
 */
export async function callAws<T>(
  target: AwsTarget,
  call: string,
  run: () => Promise<T>,
  resource = pipelineArn(target),
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const action = call.includes(':') ? call : `codepipeline:${call}`;
    throw toldApart({ target, action, resource }, error);
  }
}

interface Called {
  readonly target: AwsTarget;
  readonly action: string;
  readonly resource: string;
}

/** How a call failed that is not about a bound pipeline: try later, a right is missing, or AWS's own exception. */
export type CallFailure =
  | { readonly kind: 'passing' | 'broken' }
  | { readonly kind: 'denied' | 'refused' | 'identity'; readonly name: string; readonly message: string };

export function failureOf(error: unknown, role: Pick<AwsTarget, 'roleArn' | 'region'>): CallFailure {
  const { name, message, status } = factsOf(error);
  if (denied.has(name)) return { kind: 'denied', name, message };
  const identity = credentialsText(role, name, message);
  if (identity !== undefined) return { kind: 'identity', name, message: identity };
  if (throttled.has(name) || passing.has(name) || (status !== undefined && status >= 500)) return { kind: 'passing' };
  if (classify(error) === 'transient') return { kind: 'passing' };
  return status !== undefined && status >= 400 ? { kind: 'refused', name, message } : { kind: 'broken' };
}

function toldApart(called: Called, error: unknown): unknown {
  if (error instanceof UserError || error instanceof TransientError) return error;
  const { target, action, resource } = called;
  const { name, message, status } = factsOf(error);
  const where = `${action.replace(/^codepipeline:/, '')} on ${resource}`;
  if (throttled.has(name)) {
    const retryAfterMs = 5_000 + Math.floor(Math.random() * 10_000);
    return new AwsThrottled(`AWS throttles ${where}`, { cause: error, retryAfterMs });
  }
  if (expired.has(name)) return new AwsExpired(`The session for ${where} has expired`, { cause: error });
  if (denied.has(name)) return new AwsDenied(deniedText(called, message), { cause: error });
  const credentials = credentialsText(target, name, message);
  if (credentials !== undefined) return new UserError(credentials, { cause: error });
  if (passing.has(name) || (status !== undefined && status >= 500) || classify(error) === 'transient')
    return new AwsUnanswered(`${where} got no answer: ${describeError(error)}`, { cause: error });
  if (name === 'PipelineNotFoundException') return new NoSuchPipeline(notFoundText(target), { cause: error });
  const pause = busy.get(name);
  if (pause !== undefined && action === 'codepipeline:StartPipelineExecution')
    return later(`${where}: ${message}`, error, pause);
  if (status !== undefined && status >= 400 && name.endsWith('Exception'))
    return new AwsRefusal(refusalOf(name, message), error);
  return error;
}

function later(text: string, cause: unknown, retryAfterMs?: number): TransientError {
  return new TransientError(text, { cause, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

function factsOf(error: unknown): { name: string; message: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: '', message: String(error), status: undefined };
  const metadata = '$metadata' in error ? (error.$metadata as { httpStatusCode?: number }) : undefined;
  return { name: error.name, message: error.message, status: metadata?.httpStatusCode };
}

/** AWS names action and resource in most texts; where it does not, we know what was called. */
function deniedText({ target, ...called }: Called, message: string): string {
  const action = /perform: ([\w-]+:\w+)/.exec(message)?.[1] ?? called.action;
  const resource = /on resource: (\S+)/.exec(message)?.[1] ?? called.resource;
  if (action.startsWith('sts:')) {
    return `AWS does not let Penstock take the role ${target.roleArn} (${action}). Its trust policy has to name Penstock's own identity with sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity, and the external id that \`penstock iam-policy\` prints.`;
  }
  const forbidding = /with an explicit deny in an? ([\w -]+? policy)/.exec(message)?.[1];
  if (forbidding !== undefined)
    return `The role ${target.roleArn} is denied ${action} on ${resource} by an explicit deny in a ${forbidding}: no policy of the role can allow it. Ask whoever owns that policy.`;
  return `The role ${target.roleArn} lacks ${action} on ${resource}. \`penstock iam-policy\` prints the policy that it needs.`;
}

/** Undefined: it is not about Penstock's own identity. */
function credentialsText(
  { roleArn, region }: Pick<AwsTarget, 'roleArn' | 'region'>,
  name: string,
  message: string,
): string | undefined {
  switch (name) {
    case 'CredentialsProviderError':
      return `Penstock has no AWS credentials of its own to take the role ${roleArn} with. Give the server an instance or task role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`;
    case 'UnrecognizedClientException':
    case 'InvalidClientTokenId':
    case 'SignatureDoesNotMatch':
    case 'InvalidSignatureException':
      return `AWS does not accept Penstock's own credentials (${name}), so it cannot take the role ${roleArn}. Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the server, and its clock.`;
    case 'RegionDisabledException':
      return `The region ${region} is not enabled for the account (${message}). Correct \`region\` of the binding in penstock.server.yml, or enable it.`;
    default:
      return undefined;
  }
}

function notFoundText({ pipelineName, region, account }: AwsTarget): string {
  return `There is no pipeline ${pipelineName} in ${region} of the account ${account}. Correct \`pipelineName\` and \`region\` of the binding in penstock.server.yml, and the account of its role.`;
}

export function pipelineArn({ roleArn, region, account, pipelineName }: Omit<AwsTarget, 'externalId'>): string {
  const partition = roleArn.split(':')[1] ?? 'aws';
  return `arn:${partition}:codepipeline:${region}:${account}:${pipelineName}`;
}
