import { openServerSecret } from '../codepipeline-api/server-secret.ts';
import { makeSession } from '../codepipeline-api/session-credentials.ts';
import { grantsFor } from '../config/server.ts';
import type { AwsGrant, ServerConfig } from '../config/server-types.ts';
import type { AwsSubject } from '../engine/aws/port.ts';
import type { CallAnswer, CallRole, RuleCalls } from '../engine/aws/rule-calls.ts';
import type {
  AlarmCall,
  AlarmState,
  AwsCalls,
  CallSubject,
  FunctionAnswer,
  FunctionCall,
  RefusedCall,
} from '../engine/embedded/aws-calls.ts';
import type { RepositoryRef } from '../github/github.ts';
import type { ActionTypeId } from '../pipeline/definition.ts';
import { externalIdOf } from './aws-targets.ts';
import { functionEvent } from './function-event.ts';

export interface GrantedCallsOptions {
  readonly server: ServerConfig;
  readonly home: string;
  readonly now: () => Date;
  /** How AWS is asked, for tests; the SDK otherwise. */
  readonly calls?: RuleCalls;
}

/** What `embedded.aws` of penstock.server.yml allows, and nothing that a repository says beyond it (SEC-T-05). */
export function grantedCalls(options: GrantedCallsOptions): AwsCalls | undefined {
  if (options.server.embedded.aws.length === 0) return undefined;
  let opened: Promise<RuleCalls> | undefined;
  const open = (): Promise<RuleCalls> => (opened ??= openCalls(options));
  return {
    alarmState: (call) => askAlarm(options, open, call),
    invokeFunction: (call) => callFunction(options, open, call),
  };
}

/** A Lambda action runs where the repository may call some function (CP-P-6). */
export function grantedTypes(server: ServerConfig): (type: ActionTypeId, repository: RepositoryRef) => boolean {
  return ({ category, owner, provider }, repository) =>
    category === 'Invoke' &&
    owner === 'AWS' &&
    provider === 'Lambda' &&
    grantsFor(server, repository.owner, repository.name).some(({ functions }) => functions.length > 0);
}

/** The SDK is loaded by the first call: few servers ask for it. */
async function openCalls({ calls }: GrantedCallsOptions): Promise<RuleCalls> {
  if (calls) return calls;
  const { createRuleCalls } = await import('../engine/aws/rule-calls.ts');
  return createRuleCalls();
}

async function askAlarm(
  options: GrantedCallsOptions,
  open: () => Promise<RuleCalls>,
  { subject, alarm, region }: AlarmCall,
): Promise<AlarmState | 'missing' | RefusedCall> {
  const grant = grantOf(options, subject, { kind: 'alarms', name: alarm, region });
  if ('message' in grant) return grant;
  const calls = await open();
  const answer = await calls.alarmState(roleOf(options, subject, grant), subjectOf(subject), alarm);
  return answer.kind === 'answered' ? stateOf(answer.value) : alarmRefused(answer);
}

function stateOf(value: string): AlarmState {
  return value === 'OK' || value === 'ALARM' ? value : 'INSUFFICIENT_DATA';
}

function alarmRefused(answer: Exclude<CallAnswer<string>, { kind: 'answered' }>): 'missing' | RefusedCall {
  return answer.kind === 'missing' ? 'missing' : answer;
}

async function callFunction(
  options: GrantedCallsOptions,
  open: () => Promise<RuleCalls>,
  { subject, functionName, region, job }: FunctionCall,
): Promise<FunctionAnswer> {
  const grant = grantOf(options, subject, { kind: 'functions', name: functionName, region });
  if ('message' in grant) return grant;
  const door = { secret: await openServerSecret(options.home), now: options.now };
  const event = functionEvent(job, {
    answersAt: grant.answersAt ?? '',
    session: (given) => makeSession(door, given),
    at: options.now(),
  });
  const calls = await open();
  const call = { functionName, event: JSON.stringify(event) };
  const answer = await calls.invokeFunction(roleOf(options, subject, grant), subjectOf(subject), call);
  return answer.kind === 'answered' ? { kind: 'accepted' } : answer;
}

interface Wanted {
  readonly kind: 'alarms' | 'functions';
  readonly name: string;
  /** The declaration may choose among what is allowed. */
  readonly region: string | undefined;
}

function grantOf({ server }: GrantedCallsOptions, { repository }: CallSubject, wanted: Wanted): AwsGrant | RefusedCall {
  const { owner, name } = repository;
  const grants = grantsFor(server, owner, name);
  const fitting = grants.find(
    (grant) =>
      (wanted.region === undefined || grant.region === wanted.region) &&
      grant[wanted.kind].some((pattern) => fits(pattern, wanted)),
  );
  if (fitting) return fitting;
  const where = wanted.region === undefined ? '' : ` in ${wanted.region}`;
  const what = wanted.kind === 'alarms' ? 'the alarm' : 'the function';
  const message = `${owner}/${name} may not use ${what} '${wanted.name}'${where}. The operator allows it in penstock.server.yml, under embedded.aws.`;
  return { kind: 'refused', code: 'PermissionError', message };
}

/** `*` of a function stops at colons, so that it never stands for a qualifier or for another account's ARN. */
function fits(pattern: string, { kind, name }: Wanted): boolean {
  const any = kind === 'functions' ? '[^:]*' : '.*';
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join(any)}$`, 's').test(name);
}

function roleOf({ home }: GrantedCallsOptions, { repository }: CallSubject, grant: AwsGrant): CallRole {
  const { roleArn, region, externalId } = grant;
  return { roleArn, region, externalId: externalIdOf(repository, externalId, home) };
}

function subjectOf({ repository, execution, pullRequest }: CallSubject): AwsSubject {
  return {
    repositoryId: repository.id,
    repository: `${repository.owner}/${repository.name}`,
    execution,
    ...(pullRequest === undefined ? {} : { pullRequest }),
  };
}
