import { classify, describeError, UserError } from '../errors.ts';
import { RefusedError } from '../engine/embedded/refused-error.ts';
import { ApiError } from './api-error.ts';
import { anonymousCaller, authenticate } from './authenticate.ts';
import { checkShape } from './check-shape.ts';
import type { Caller, Door } from './door.ts';
import { answer, readBody, type Exchange } from './http-server.ts';
import { encodeOutput, parseBody } from './json-text.ts';
import { operations, type ServedOperation } from './operations.ts';
import { operationFacts } from './shapes.ts';
import { recordCall } from './record-call.ts';
import { sha256 } from './sigv4.ts';
import type { Throttle } from './throttle.ts';

export interface JsonDoorOptions {
  readonly throttle: Throttle;
  /** Nobody has to sign; for loopback only. */
  readonly anonymous: boolean;
}

const targetPrefix = 'CodePipeline_20150709.';
const mediaType = 'application/x-amz-json-1.1';
/** What a function may do with its job's credentials (docs/decisions/0051). */
const forOwnJob = new Set(['GetJobDetails', 'PutJobSuccessResult', 'PutJobFailureResult']);
/** A declaration of the largest allowed size stays far below. */
const largestBody = 1024 * 1024;

/** Serves one request of the JSON 1.1 protocol (CP section 10). */
export async function serveJson(door: Door, options: JsonDoorOptions, exchange: Exchange): Promise<void> {
  try {
    const output = await perform(door, options, exchange);
    send(exchange, 200, output === undefined ? '' : encodeOutput(output));
  } catch (error) {
    const told = toldError(door, exchange, error);
    send(exchange, told.status, JSON.stringify({ __type: told.code, message: told.message }));
  }
}

function send(exchange: Exchange, status: number, body: string): void {
  answer(exchange, status, { 'content-type': mediaType, 'x-amzn-requestid': exchange.requestId }, body);
}

/** The order tells nothing to somebody without a key: operation, signature, rate, body, permission, shape. */
async function perform(door: Door, options: JsonDoorOptions, exchange: Exchange): Promise<unknown> {
  const { name, operation } = namedOperation(exchange);
  const body = await readBody(exchange, largestBody);
  const caller = await callerOf(door, options, exchange, body);
  if (!options.throttle.admit(caller.arn, door.now())) throw new ApiError('ThrottlingException', 'Rate exceeded');
  const parsed = parseBody(body);
  if (caller.readOnly && operation.writes) throw denied(door, caller, name);
  if (caller.objects !== undefined && !(caller.job !== undefined && forOwnJob.has(name)))
    throw denied(door, caller, name);
  const input = checkShape(operationFacts(name)?.input ?? '', parsed);
  const call = { door, caller };
  const output = await operation.run(call, input as never);
  if (operation.audited) await recordCall(call, name, input as Readonly<Record<string, unknown>>);
  return output;
}

function namedOperation({ request }: Exchange): { name: string; operation: ServedOperation } {
  const target = request.headers['x-amz-target'];
  const name = typeof target === 'string' && target.startsWith(targetPrefix) ? target.slice(targetPrefix.length) : '';
  const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (request.method !== 'POST' || operation === undefined) {
    throw new ApiError(
      'UnknownOperationException',
      `X-Amz-Target has to name an operation, as ${targetPrefix}ListPipelines.`,
    );
  }
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== mediaType) throw new ApiError('UnknownOperationException', `The content type has to be ${mediaType}.`);
  return { name, operation };
}

async function callerOf(
  door: Door,
  { anonymous }: JsonDoorOptions,
  { request, target }: Exchange,
  body: Buffer,
): Promise<Caller> {
  if (anonymous) return anonymousCaller(door);
  const signed = { method: request.method ?? '', target, headers: request.headers };
  const { caller } = await authenticate(door, signed, { service: 'codepipeline', payloadHash: sha256(body) });
  return caller;
}

function denied(door: Door, { arn }: Caller, operation: string): ApiError {
  const resource = `arn:aws:codepipeline:${door.region}:${door.account}:*`;
  const message = `User: ${arn} is not authorized to perform: codepipeline:${operation} on resource: ${resource}`;
  return new ApiError('AccessDeniedException', message);
}

function toldError({ log }: Pick<Door, 'log'>, { requestId }: Exchange, error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof RefusedError) return new ApiError(error.refusal.exception, error.refusal.message);
  if (error instanceof UserError) return new ApiError('ValidationException', error.message);
  if (classify(error) === 'transient') {
    log.warn({ requestId, error: describeError(error) }, 'a request to the CodePipeline API found something away');
    return new ApiError('ServiceUnavailableException', 'Try again in a moment.', 503);
  }
  log.error({ requestId, err: error }, 'a request to the CodePipeline API broke');
  return new ApiError('InternalFailure', `Something broke; the log of the server has it as request ${requestId}.`, 500);
}
