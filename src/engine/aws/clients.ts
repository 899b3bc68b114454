import { CodeBuild } from '@aws-sdk/client-codebuild';
import { CodePipeline } from '@aws-sdk/client-codepipeline';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/nested-clients/sts';
import { TransientError } from '../../errors.ts';
import type { AwsClients, AwsSubject, AwsTarget } from './port.ts';
import { roleSession, type RoleSession } from './session.ts';

/** Sessions kept open; the one that was not used for longest is dropped. */
const mostSessions = 200;

/** A slow answer must not hold a worker; what was cut off is read back later. */
const patience = { connectionTimeout: 5_000, requestTimeout: 15_000 };

interface Session {
  readonly codePipeline: CodePipeline;
  readonly codeBuild: CodeBuild;
}

/** Clients over the SDK. Each role session is assumed when first used and renewed by the SDK before it ends. */
export function createAwsClients(options: { readonly endpoint?: string } = {}): AwsClients {
  const sessions = new Map<string, Session>();
  const sessionFor = (target: AwsTarget, subject: AwsSubject): Session => {
    const request = roleSession(target, subject);
    const key = JSON.stringify([target.region, request]);
    const session = sessions.get(key) ?? openSession(target, request, options.endpoint);
    sessions.delete(key);
    sessions.set(key, session);
    const [oldest] = sessions.keys();
    if (sessions.size > mostSessions && oldest !== undefined) close(sessions, oldest);
    return session;
  };
  return {
    codePipeline: (target, subject) => Promise.resolve(sessionFor(target, subject).codePipeline),
    codeBuild: (target, subject) => Promise.resolve(sessionFor(target, subject).codeBuild),
  };
}

function openSession(target: AwsTarget, request: RoleSession, endpoint: string | undefined): Session {
  const { region } = target;
  const place = endpoint === undefined ? {} : { endpoint };
  const sts = new STSClient({ region, requestHandler: patience, ...place });
  const settings = {
    region,
    requestHandler: patience,
    maxAttempts: 3,
    ...place,
    credentials: () => assume(sts, request),
  };
  return { codePipeline: new CodePipeline(settings), codeBuild: new CodeBuild(settings) };
}

async function assume(sts: STSClient, request: RoleSession) {
  const { Credentials } = await sts.send(new AssumeRoleCommand({ ...request, Tags: [...request.Tags] }));
  if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey || !Credentials.SessionToken) {
    throw new TransientError(`AWS STS answered without credentials for ${request.RoleArn}`);
  }
  return {
    accessKeyId: Credentials.AccessKeyId,
    secretAccessKey: Credentials.SecretAccessKey,
    sessionToken: Credentials.SessionToken,
    ...(Credentials.Expiration ? { expiration: Credentials.Expiration } : {}),
  };
}

function close(sessions: Map<string, Session>, key: string): void {
  sessions.get(key)?.codePipeline.destroy();
  sessions.get(key)?.codeBuild.destroy();
  sessions.delete(key);
}
