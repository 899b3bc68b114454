import { UserError } from '../../errors.ts';
import { statement, type Statement } from './policy.ts';

/** A queue that events are read from, and with which role; Penstock's own identity without one. */
export interface ReadQueue {
  readonly url: string;
  readonly region: string;
  readonly roleArn?: string;
  readonly externalId?: string;
}

/** A queue that state changes are sent to; always by Penstock's own identity. */
export interface SendQueue {
  readonly queueUrl: string;
  readonly region: string;
}

const partitions: readonly (readonly [beginning: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
];

/** SQS has the account and the name in the path of a queue's URL. UserError for a URL that is not one of SQS. */
export function queueArn(url: string, region: string): string {
  const [, account, name] = /^https?:\/\/[^/]+\/(\d{12})\/([\w-]{1,80}(?:\.fifo)?)$/.exec(url) ?? [];
  if (account === undefined || name === undefined) {
    throw new UserError(
      `${url} is not the URL of a queue. Write the one that SQS shows, as in https://sqs.eu-west-1.amazonaws.com/111122223333/penstock.`,
    );
  }
  const [, partition = 'aws'] = partitions.find(([beginning]) => region.startsWith(beginning)) ?? [];
  return `arn:${partition}:sqs:${region}:${account}:${name}`;
}

/** For whoever reads the queue that EventBridge fills; `arns` of queues. */
export function queueStatement(arns: readonly string[]): Statement {
  const actions = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'];
  return statement(
    'ReadEvents',
    actions.map((name) => `sqs:${name}`),
    arns,
  );
}

/** What one role needs for its queues, or Penstock's own identity for those without a role. */
export function readingStatements(queues: readonly ReadQueue[], roleArn?: string): readonly Statement[] {
  const mine = queues.filter((queue) => queue.roleArn === roleArn).map(({ url, region }) => queueArn(url, region));
  return mine.length > 0 ? [queueStatement(mine)] : [];
}

export function sendingStatements(queues: readonly SendQueue[]): readonly Statement[] {
  const arns = queues.map(({ queueUrl, region }) => queueArn(queueUrl, region));
  return arns.length > 0 ? [statement('SendEvents', ['sqs:SendMessage'], arns)] : [];
}
