import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from '../../db/database.ts';
import type { ExecutionRecord } from '../../db/executions.ts';
import { loadRepository } from '../../db/repositories.ts';
import { UserError } from '../../errors.ts';
import type { Actor } from '../../pipeline/execution.ts';
import type { Budget } from './budget.ts';
import { AwsDenied, AwsExpired, AwsRefusal, AwsThrottled, callAws } from './call-errors.ts';
import type { AwsMeter, CallOutcome } from './meter.ts';
import type { Pace } from './pace.ts';
import type { AwsSessions, AwsSubject, AwsTarget, CodePipelineApi } from './port.ts';

/** What the parts of the AWS engine stand on. */
export interface Ground {
  readonly db: Kysely<Database>;
  readonly log: Logger;
  readonly now: () => Date;
  readonly clients: AwsSessions;
  readonly budget: Budget;
  readonly meter: AwsMeter;
  readonly pace: Pace;
  /** 0 to 1. */
  readonly chance: () => number;
  /** Replaces the secrets of the server's file: what AWS repeats of a script ends in check runs (SEC-T-14). */
  readonly mask: (text: string) => string;
  /** From the operator's bindings; null: that repository may not drive an AWS pipeline under that name (SEC-T-05). */
  readonly targetFor: (owner: string, name: string, pipeline: string) => AwsTarget | null;
}

/** One bound pipeline, with those who call it. */
export interface Bound {
  readonly target: AwsTarget;
  readonly subject: AwsSubject;
}

export async function boundTo(
  ground: Ground,
  repositoryId: number,
  pipeline: string,
  about: Pick<AwsSubject, 'pullRequest' | 'execution' | 'person'> = {},
): Promise<Bound> {
  const repository = await loadRepository(ground.db, repositoryId);
  if (!repository)
    throw new UserError(`Repository ${repositoryId} is not known to this server; install the App on it.`);
  const full = `${repository.owner}/${repository.name}`;
  const target = ground.targetFor(repository.owner, repository.name, pipeline);
  if (!target) {
    throw new UserError(
      `The pipeline ${pipeline} of ${full} is bound to no AWS pipeline. The operator adds it under bindings: in penstock.server.yml.`,
    );
  }
  return { target, subject: { repositoryId, repository: full, ...about } };
}

/** In the name of a person, of one execution: a role session of its own (SEC-T-06). */
export function boundForPerson(ground: Ground, record: ExecutionRecord, by: Actor): Promise<Bound> {
  return boundTo(ground, record.repositoryId, record.pipeline, {
    ...(record.context.pullRequest === undefined ? {} : { pullRequest: record.context.pullRequest }),
    execution: record.execution.id,
    ...(by.kind === 'person' ? { person: by.login } : {}),
  });
}

/** One call of CodePipeline, paid for and counted. Looks that nobody waits for ask the budget first, as a whole (`admit`). */
export async function ask<T>(
  ground: Ground,
  { target, subject }: Bound,
  call: string,
  run: (api: CodePipelineApi) => Promise<T>,
): Promise<T> {
  const once = () => counted(ground, target, call, async () => run(await ground.clients.codePipeline(target, subject)));
  try {
    return await once().catch((error: unknown) => {
      if (!(error instanceof AwsExpired)) throw error;
      ground.clients.renew(target, subject);
      return once();
    });
  } catch (error) {
    if (error instanceof AwsThrottled) await ground.budget.throttled(target.account);
    throw error;
  }
}

/**
 * One call of any service, paid for and counted, with its errors told apart. That another service than CodePipeline
 * throttles is no reason to pause the looks.
 */
export async function counted<T>(
  ground: Ground,
  target: AwsTarget,
  call: string,
  run: () => Promise<T>,
  resource?: string,
): Promise<T> {
  try {
    const answer = await callAws(target, call, run, resource);
    ground.budget.spent(target.account, attemptsOf(answer));
    ground.meter.call(target.account, call, 'ok');
    return answer;
  } catch (error) {
    ground.budget.spent(target.account, attemptsOf(error instanceof Error ? error.cause : undefined));
    ground.meter.call(target.account, call, outcomeOf(error));
    throw error;
  }
}

function outcomeOf(error: unknown): CallOutcome {
  if (error instanceof AwsThrottled) return 'throttled';
  if (error instanceof AwsDenied) return 'denied';
  return error instanceof AwsRefusal ? 'refused' : 'failed';
}

/** The SDK asks again by itself, and each time counts for AWS. */
function attemptsOf(answer: unknown): number {
  if (typeof answer !== 'object' || answer === null || !('$metadata' in answer)) return 1;
  return (answer.$metadata as { attempts?: number }).attempts ?? 1;
}

/** Which pipeline of AWS an execution belongs to, as its row tells it. */
export function hostOf({ account, region, pipelineName }: AwsTarget): string {
  return `aws:${account}/${region}/${pipelineName}`;
}
