import { classify, describeError, TransientError, UserError } from '../../errors.ts';
import type { Refusal } from '../../pipeline/protocol.ts';
import type { AwsTarget } from './port.ts';

/** CodePipeline said no to what a person asked, with an exception of its model. */
export class AwsRefusal extends Error {
  override readonly name = 'AwsRefusal';
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

const throttled = new Set([
  'ThrottlingException',
  'Throttling',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'RequestThrottled',
  'SlowDown',
]);

/** The next attempt signs anew, or the other side is up again. */
const passing = new Set([
  'ExpiredTokenException',
  'ExpiredToken',
  'RequestExpired',
  'TimeoutError',
  'RequestTimeout',
  'AbortError',
  'InternalFailure',
  'InternalServerError',
  'ServiceUnavailable',
  'ServiceUnavailableException',
]);

const denied = new Set(['AccessDeniedException', 'AccessDenied', 'UnauthorizedOperation']);

/** The pipeline is full or busy: nobody's mistake, so the call waits for its turn (CP-X-10, CP-X-12, SEC-F-23). */
const busy = new Map([
  ['ConcurrentPipelineExecutionsLimitExceededException', 60_000],
  ['ConflictException', 5_000],
]);

/** Runs one call and tells its errors apart: try later, mend a permission, refused, or broken. */
export async function callAws<T>(target: AwsTarget, call: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toldApart(target, call, error);
  }
}

function toldApart(target: AwsTarget, call: string, error: unknown): unknown {
  if (error instanceof UserError || error instanceof TransientError) return error;
  const { name, message, status } = factsOf(error);
  const where = `${call} on ${pipelineArn(target)}`;
  if (throttled.has(name)) return later(`AWS throttles ${where}`, error, 5_000 + Math.floor(Math.random() * 10_000));
  if (denied.has(name)) return new UserError(deniedText(target, call, message), { cause: error });
  if (name === 'CredentialsProviderError' || name === 'UnrecognizedClientException' || name === 'InvalidClientTokenId')
    return new UserError(noCredentials(target), { cause: error });
  if (passing.has(name) || (status !== undefined && status >= 500) || classify(error) === 'transient')
    return later(`${where} got no answer: ${describeError(error)}`, error);
  const pause = busy.get(name);
  if (pause !== undefined && call === 'StartPipelineExecution') return later(`${where}: ${message}`, error, pause);
  if (status !== undefined && status >= 400 && name.endsWith('Exception'))
    return new AwsRefusal({ exception: name, message, rule: 'CP-8.2' });
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

/** AWS names action and resource in most texts; where it does not, we know the call and the pipeline. */
function deniedText(target: AwsTarget, call: string, message: string): string {
  const action = /perform: ([\w-]+:\w+)/.exec(message)?.[1] ?? `codepipeline:${call}`;
  const resource = /on resource: (\S+)/.exec(message)?.[1] ?? pipelineArn(target);
  if (action.startsWith('sts:')) {
    return `AWS does not let Penstock take the role ${target.roleArn} (${action}). Its trust policy has to name Penstock's own identity with sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity, and the external id that \`penstock iam-policy\` prints.`;
  }
  return `The role ${target.roleArn} lacks ${action} on ${resource}. \`penstock iam-policy\` prints the policy that it needs.`;
}

function noCredentials(target: AwsTarget): string {
  return `Penstock has no AWS credentials of its own to take the role ${target.roleArn} with. Give the server an instance or task role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`;
}

export function pipelineArn({ roleArn, region, account, pipelineName }: Omit<AwsTarget, 'externalId'>): string {
  const partition = roleArn.split(':')[1] ?? 'aws';
  return `arn:${partition}:codepipeline:${region}:${account}:${pipelineName}`;
}
