import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs';
import { CodeBuild } from '@aws-sdk/client-codebuild';
import { CodePipeline } from '@aws-sdk/client-codepipeline';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { AwsClients, AwsSubject, AwsTarget } from './port.ts';
import { roleSession, type RoleSession } from './session.ts';

/** Sessions kept open; the one that was not used for longest is dropped. */
const mostSessions = 200;

/** A slow answer must not hold a worker; what was cut off is read back later. */
const patience = { connectionTimeout: 5_000, requestTimeout: 15_000 };

interface Session {
  readonly codePipeline: CodePipeline;
  readonly codeBuild: CodeBuild;
  readonly logs: CloudWatchLogs;
}

/** Clients over the SDK. Each role session is assumed when first used and renewed by the SDK before it ends. */
export function createAwsClients(options: { readonly endpoint?: string } = {}): AwsClients {
  const sessions = new Map<string, Session>();
  // A whole client for its chain of default credentials: environment, files, container, instance.
  const own = new CodePipeline({ region: 'us-east-1' }).config.credentials;
  const sessionFor = (target: AwsTarget, subject: AwsSubject): Session => {
    const request = roleSession(target, subject);
    const key = JSON.stringify([target.region, request]);
    const session = sessions.get(key) ?? openSession(target, request, { own, ...options });
    sessions.delete(key);
    sessions.set(key, session);
    const [oldest] = sessions.keys();
    if (sessions.size > mostSessions && oldest !== undefined) close(sessions, oldest);
    return session;
  };
  return {
    codePipeline: (target, subject) => Promise.resolve(sessionFor(target, subject).codePipeline),
    codeBuild: (target, subject) => Promise.resolve(sessionFor(target, subject).codeBuild),
    logs: (target, subject) => Promise.resolve(sessionFor(target, subject).logs),
  };
}

interface Origin {
  /** Penstock's own identity. */
  readonly own: CodePipeline['config']['credentials'];
  readonly endpoint?: string;
}

function openSession(target: AwsTarget, request: RoleSession, { own, endpoint }: Origin): Session {
  const { region } = target;
  const place = endpoint === undefined ? {} : { endpoint };
  const credentials = fromTemporaryCredentials({
    masterCredentials: own,
    params: { ...request, Tags: [...request.Tags] },
    clientConfig: { region, requestHandler: patience, ...place },
  });
  const settings = { region, requestHandler: patience, maxAttempts: 3, ...place, credentials };
  return {
    codePipeline: new CodePipeline(settings),
    codeBuild: new CodeBuild(settings),
    logs: new CloudWatchLogs(settings),
  };
}

function close(sessions: Map<string, Session>, key: string): void {
  sessions.get(key)?.codePipeline.destroy();
  sessions.get(key)?.codeBuild.destroy();
  sessions.get(key)?.logs.destroy();
  sessions.delete(key);
}
