import type { CloudWatch } from '@aws-sdk/client-cloudwatch';
import type { Lambda } from '@aws-sdk/client-lambda';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { TransientError } from '../../errors.ts';
import { failureOf } from './call-errors.ts';
import type { AwsSubject } from './port.ts';
import { roleSession } from './session.ts';

/** The two calls that rules and Lambda actions of embedded pipelines make, with a role of the operator's choice. */
export interface RuleCalls {
  alarmState(role: CallRole, subject: AwsSubject, alarm: string): Promise<CallAnswer<string>>;
  /** As CodePipeline does: the function is started and nobody waits for it (CP-J-19). */
  invokeFunction(role: CallRole, subject: AwsSubject, call: Invocation): Promise<CallAnswer<null>>;
}

export interface CallRole {
  readonly roleArn: string;
  readonly region: string;
  readonly externalId: string;
}

export interface Invocation {
  readonly functionName: string;
  /** JSON. */
  readonly event: string;
}

export type CallAnswer<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly code: 'ConfigurationError' | 'PermissionError'; readonly message: string };

/** A slow answer must not hold a worker. */
const patience = { connectionTimeout: 5_000, requestTimeout: 15_000 };
/** Clients kept open; the one that was not used for longest is dropped. */
const mostClients = 100;

/** `endpoint` stands for all of AWS, for tests. */
export function createRuleCalls(options: { readonly endpoint?: string } = {}): RuleCalls {
  const cloudWatch = keep(async (role, subject) => {
    const { CloudWatch: Client } = await import('@aws-sdk/client-cloudwatch');
    return new Client(settingsOf(role, subject, options));
  });
  const lambda = keep(async (role, subject) => {
    const { Lambda: Client } = await import('@aws-sdk/client-lambda');
    return new Client(settingsOf(role, subject, options));
  });
  return {
    alarmState: (role, subject, alarm) =>
      answerOf({ role, action: 'cloudwatch:DescribeAlarms', about: alarm }, async () =>
        stateOf(await cloudWatch(role, subject), alarm),
      ),
    invokeFunction: (role, subject, { functionName, event }) =>
      answerOf({ role, action: 'lambda:InvokeFunction', about: functionName }, async () => {
        const client: Lambda = await lambda(role, subject);
        await client.invoke({ FunctionName: functionName, InvocationType: 'Event', Payload: Buffer.from(event) });
        return { kind: 'answered', value: null };
      }),
  };
}

async function stateOf(client: CloudWatch, name: string): Promise<CallAnswer<string>> {
  const found = await client.describeAlarms({ AlarmNames: [name], AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] });
  const alarm = [...(found.MetricAlarms ?? []), ...(found.CompositeAlarms ?? [])].find((one) => one.AlarmName === name);
  return alarm?.StateValue === undefined ? { kind: 'missing' } : { kind: 'answered', value: alarm.StateValue };
}

function settingsOf(role: CallRole, subject: AwsSubject, { endpoint }: { readonly endpoint?: string }) {
  const { region } = role;
  const place = endpoint === undefined ? {} : { endpoint };
  const request = roleSession(role, subject);
  const credentials = fromTemporaryCredentials({
    masterCredentials: fromNodeProviderChain(),
    params: { ...request, Tags: [...request.Tags] },
    clientConfig: { region, requestHandler: patience, ...place },
  });
  return { region, requestHandler: patience, maxAttempts: 3, ...place, credentials };
}

type Open<C> = (role: CallRole, subject: AwsSubject) => Promise<C>;

/** One client for each session; its credentials are renewed by the SDK. */
function keep<C extends { destroy(): void }>(open: Open<C>): Open<C> {
  const clients = new Map<string, Promise<C>>();
  return (role, subject) => {
    const key = JSON.stringify([role, subject]);
    const client = clients.get(key) ?? open(role, subject);
    clients.delete(key);
    clients.set(key, client);
    const [oldest] = clients.keys();
    if (clients.size > mostClients && oldest !== undefined) {
      void clients.get(oldest)?.then((one) => one.destroy());
      clients.delete(oldest);
    }
    return client;
  };
}

async function answerOf<T>(
  { role, action, about }: { readonly role: CallRole; readonly action: string; readonly about: string },
  call: () => Promise<CallAnswer<T>>,
): Promise<CallAnswer<T>> {
  try {
    return await call();
  } catch (error) {
    const failure = failureOf(error, role);
    switch (failure.kind) {
      case 'passing':
        throw new TransientError(`${action} on ${about} got no answer`, { cause: error });
      case 'identity':
        return { kind: 'refused', code: 'PermissionError', message: failure.message };
      case 'denied':
        return { kind: 'refused', code: 'PermissionError', message: deniedText(role, action, failure.message) };
      case 'refused':
        if (failure.name === 'ResourceNotFoundException') return { kind: 'missing' };
        return { kind: 'refused', code: 'ConfigurationError', message: `${action} on ${about}: ${failure.message}` };
      case 'broken':
        throw error;
      default:
        return failure satisfies never;
    }
  }
}

function deniedText({ roleArn }: CallRole, action: string, message: string): string {
  const mend = '`penstock iam-policy` prints what it needs.';
  if (message.includes('sts:')) return `Penstock may not take the role ${roleArn}: ${message} ${mend}`;
  return `The role ${roleArn} lacks ${action}: ${message} ${mend}`;
}
