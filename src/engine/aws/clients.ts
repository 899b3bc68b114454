import { CodePipeline } from '@aws-sdk/client-codepipeline';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { describeError } from '../../errors.ts';
import { LostAnswerError } from './call-errors.ts';
import type { AwsApis, AwsSessions, AwsSubject, AwsTarget } from './port.ts';
import { roleSession, type RoleSession } from './session.ts';

/** Sessions kept open; the one that was not used for longest is dropped. */
const mostSessions = 200;

/** A slow answer must not hold a worker; what was cut off is read back later. */
const patience = { connectionTimeout: 5_000, requestTimeout: 15_000 };

/** What every client of one role session is made with. */
interface SessionSettings {
  readonly region: string;
  readonly requestHandler: typeof patience;
  readonly maxAttempts: number;
  readonly endpoint?: string;
  readonly credentials: ReturnType<typeof fromTemporaryCredentials>;
}

/** Only what is asked is loaded: most pipelines need two of these. */
const makers: { readonly [Name in keyof AwsApis]: (settings: SessionSettings) => Promise<AwsApis[Name] & Closable> } = {
  codePipeline: (settings) => Promise.resolve(withoutRepeats(new CodePipeline(settings))),
  codeBuild: async (settings) => new (await import('@aws-sdk/client-codebuild')).CodeBuild(settings),
  logs: async (settings) => new (await import('@aws-sdk/client-cloudwatch-logs')).CloudWatchLogs(settings),
  cloudFormation: async (settings) => new (await import('@aws-sdk/client-cloudformation')).CloudFormation(settings),
  codeDeploy: async (settings) => new (await import('@aws-sdk/client-codedeploy')).CodeDeploy(settings),
  ecs: async (settings) => new (await import('@aws-sdk/client-ecs')).ECS(settings),
  lambda: async (settings) => new (await import('@aws-sdk/client-lambda')).Lambda(settings),
};

/** What CodePipeline does twice when it is asked twice: only a start brings a token along (CP-O-3). */
const unrepeatable: ReadonlySet<string | undefined> = new Set([
  'OverrideStageConditionCommand',
  'PutApprovalResultCommand',
  'RetryStageExecutionCommand',
  'RollbackStageCommand',
  'StopPipelineExecutionCommand',
]);

/** A call of these whose answer was lost is not sent again by the SDK: whoever asked reads back first. */
function withoutRepeats(client: CodePipeline): CodePipeline {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (call) => {
        try {
          return await next(call);
        } catch (error) {
          if (!unrepeatable.has(commandName) || isAnswer(error)) throw error;
          // Without a cause: the SDK would look there for a reason to repeat.
          throw new LostAnswerError(describeError(error));
        }
      },
    { step: 'finalizeRequest', priority: 'low', name: 'withoutRepeats' },
  );
  return client;
}

function isAnswer(error: unknown): boolean {
  const { $metadata: told } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return told?.httpStatusCode !== undefined && told.httpStatusCode < 500;
}

interface Closable {
  destroy(): void;
}

interface Session {
  readonly settings: SessionSettings;
  readonly opened: { [Name in keyof AwsApis]?: Promise<AwsApis[Name] & Closable> };
}

export interface ClientOptions {
  readonly endpoint?: string;
  /** Of one call; two unless told: what is throttled waits by the account's budget. */
  readonly maxAttempts?: number;
}

/** Clients over the SDK. Each role session is assumed when first used and renewed by the SDK before it ends. */
export function createAwsClients(options: ClientOptions = {}): AwsSessions {
  const sessions = new Map<string, Session>();
  // A whole client for its chain of default credentials: environment, files, container, instance.
  const own = new CodePipeline({ region: 'us-east-1' }).config.credentials;
  const sessionFor = (target: AwsTarget, subject: AwsSubject): Session => {
    const request = roleSession(target, subject);
    const key = keyOf(target, subject);
    const session = sessions.get(key) ?? { settings: settingsOf(target, request, { own, ...options }), opened: {} };
    sessions.delete(key);
    sessions.set(key, session);
    const [oldest] = sessions.keys();
    if (sessions.size > mostSessions && oldest !== undefined) close(sessions, oldest);
    return session;
  };
  const client =
    <Name extends keyof AwsApis>(name: Name) =>
    (target: AwsTarget, subject: AwsSubject): Promise<AwsApis[Name]> => {
      const { settings, opened } = sessionFor(target, subject);
      return (opened[name] ??= makers[name](settings) as NonNullable<(typeof opened)[Name]>);
    };
  return {
    codePipeline: client('codePipeline'),
    codeBuild: client('codeBuild'),
    logs: client('logs'),
    cloudFormation: client('cloudFormation'),
    codeDeploy: client('codeDeploy'),
    ecs: client('ecs'),
    lambda: client('lambda'),
    // Not closed: other calls may still be under way on it.
    renew: (target, subject) => void sessions.delete(keyOf(target, subject)),
  };
}

function keyOf(target: AwsTarget, subject: AwsSubject): string {
  return JSON.stringify([target.region, roleSession(target, subject)]);
}

interface Origin extends ClientOptions {
  /** Penstock's own identity. */
  readonly own: CodePipeline['config']['credentials'];
}

function settingsOf({ region }: AwsTarget, request: RoleSession, origin: Origin): SessionSettings {
  const { own, endpoint, maxAttempts = 2 } = origin;
  const place = endpoint === undefined ? {} : { endpoint };
  const credentials = fromTemporaryCredentials({
    masterCredentials: own,
    params: { ...request, Tags: [...request.Tags] },
    clientConfig: { region, requestHandler: patience, ...place },
  });
  return { region, requestHandler: patience, maxAttempts, ...place, credentials };
}

function close(sessions: Map<string, Session>, key: string): void {
  const opened = Object.values(sessions.get(key)?.opened ?? {});
  for (const client of opened) void client.then((one) => one.destroy());
  sessions.delete(key);
}
