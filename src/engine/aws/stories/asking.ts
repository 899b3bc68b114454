import type { ActionExecutionDetail } from '@aws-sdk/client-codepipeline';
import { TransientError, UserError, describeError } from '../../../errors.ts';
import type { ActionStory } from '../../../pipeline/execution.ts';
import type { LogPlace } from '../aws-execution.ts';
import { AwsRefusal } from '../call-errors.ts';
import { counted, type Bound, type Ground } from '../ground.ts';
import type { AwsApis, AwsClients, AwsTarget } from '../port.ts';

/** What a service tells of one ended action, and where its log is. */
export interface Told extends Omit<ActionStory, 'service'> {
  readonly log?: LogPlace;
  /** A page of the console, when CodePipeline's own is not the best one. */
  readonly url?: string;
}

/** One ended action, with the means to ask the service behind it. */
export interface Asking {
  readonly detail: ActionExecutionDetail;
  /** With the region of the action. */
  readonly there: AwsTarget;
  readonly configuration: Readonly<Record<string, string>>;
  /** The service's own id of what it did: a build, a deployment, a stack. */
  readonly externalId: string | undefined;
  readonly from: Date;
  readonly until: Date;
  /** One call in the name of the pipeline's role: `call('ecs', 'ecs:DescribeTasks', 'task/prod/*', (api) => …)`. */
  call<Name extends keyof AwsApis, T>(
    api: Name,
    action: string,
    resource: string,
    run: (api: AwsApis[Name]) => Promise<T>,
  ): Promise<T>;
}

export function askingAbout(ground: Ground, { target, subject }: Bound, detail: ActionExecutionDetail): Asking {
  const there = { ...target, region: detail.input?.region ?? target.region };
  const clients: AwsClients = ground.clients;
  const until = detail.lastUpdateTime ?? ground.now();
  return {
    detail,
    there,
    configuration: { ...detail.input?.configuration, ...detail.input?.resolvedConfiguration },
    externalId: detail.output?.executionResult?.externalExecutionId,
    from: detail.startTime ?? until,
    until,
    call: (api, action, resource, run) =>
      counted(
        ground,
        there,
        action,
        async () => run(await clients[api](there, subject)),
        arnOf(there, action, resource),
      ),
  };
}

function arnOf({ roleArn, region, account }: AwsTarget, action: string, resource: string): string {
  const partition = roleArn.split(':')[1] ?? 'aws';
  return `arn:${partition}:${action.split(':')[0]}:${region}:${account}:${resource}`;
}

/** What is known without the answer: the sentence for people when it will not come, thrown on when it may come later. */
export function unaskedFor(error: unknown): string {
  if (error instanceof TransientError) throw error;
  if (error instanceof UserError) return error.message;
  if (error instanceof AwsRefusal) return `AWS gave no more than this: ${error.message}`;
  return `AWS gave no more than this: ${describeError(error)}`;
}

/** The answer, or why there is none. */
export async function orUnasked<T>(asked: Promise<T>): Promise<{ answer: T } | { unasked: string }> {
  try {
    return { answer: await asked };
  } catch (error) {
    return { unasked: unaskedFor(error) };
  }
}
