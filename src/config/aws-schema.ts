import { z } from 'zod';
import { pipelineName } from './names.ts';
import { pattern } from './repository-pattern.ts';
import { rule, strict } from './schema-problems.ts';

/** What penstock.server.yml says of AWS: bindings, queues, and what builds and rules may ask. */

const oneRepository = pattern.check(
  rule(
    (text) => !text.endsWith('/*'),
    'has to be one repository.',
    'Write owner/name: a role is never shared by pattern.',
  ),
);

const region = z
  .string()
  .check(rule((text) => /^[a-z]{2}(?:-[a-z]+)+-\d$/.test(text), 'is not an AWS region.', 'Write it as in eu-west-1.'));

const roleArn = z
  .string()
  .check(
    rule(
      (text) => /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/.test(text),
      'is not the ARN of a role.',
      'Write it as in arn:aws:iam::111122223333:role/penstock; `penstock iam-policy` prints what the role needs.',
    ),
  );

const externalId = z
  .string()
  .check(
    rule(
      (text) => text === 'generated' || /^[\w+=,.@:/-]{16,1224}$/.test(text),
      'is not a good external id.',
      'Write `generated`, or at least 16 characters that nobody can guess.',
    ),
  );

export const binding = strict({
  repository: oneRepository,
  pipeline: pipelineName,
  aws: strict({
    account: z
      .string()
      .check(rule((text) => /^\d{12}$/.test(text), 'is not an AWS account.', 'Write its 12 digits in quotes.')),
    region,
    pipelineName: z
      .string()
      .check(
        rule(
          (text) => /^[A-Za-z0-9.@_-]{1,100}$/.test(text),
          'is not a CodePipeline name.',
          'Write the name that AWS shows.',
        ),
      ),
    roleArn,
    externalId: externalId.optional(),
  }),
}).check(
  rule(
    ({ aws }) => aws.roleArn.includes(`::${aws.account}:`),
    'names a role of another account.',
    'Make the digits in aws.roleArn equal to aws.account.',
  ),
);
export type WrittenBinding = z.output<typeof binding>;

/** `sqs.<region>.amazonaws.com/<account>/<name>`; plain http only where a test stands in for SQS. */
const queueUrl =
  /^(?:https:\/\/sqs\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?|http:\/\/127\.0\.0\.1:\d+)\/\d{12}\/[\w-]{1,80}$/;

export const queue = strict({
  url: z
    .string()
    .check(
      rule(
        (text) => queueUrl.test(text),
        'is not the address of a queue of SQS (a FIFO queue cannot be one: EventBridge has no order to keep).',
        'Write it as in https://sqs.eu-west-1.amazonaws.com/111122223333/penstock-events.',
      ),
    ),
  region: region.optional(),
  roleArn: roleArn.optional(),
  externalId: externalId
    .check(
      rule(
        (text) => text !== 'generated',
        'cannot be made here.',
        'Write what the trust policy of the role asks for: at least 16 characters that nobody can guess.',
      ),
    )
    .optional(),
}).check(
  rule(
    (written) => written.region !== undefined || regionIn(written.url) !== undefined,
    'names no region.',
    'Write region: as in eu-west-1.',
  ),
  rule(
    (written) => written.externalId === undefined || written.roleArn !== undefined,
    'has an external id and no role.',
    'Write roleArn: too, or leave externalId: out.',
  ),
);
export type WrittenQueue = z.output<typeof queue>;

export function regionIn(url: string): string | undefined {
  return /^https:\/\/sqs\.([a-z0-9-]+)\./.exec(url)?.[1];
}

const awsName = z
  .string()
  .check(
    rule(
      (text) =>
        /^(?:arn:aws[a-z-]*:(?:ssm|secretsmanager):[a-z0-9-]+:\d{12}:)?[\w/+=.@:-]{0,2048}\*?$/.test(text) &&
        text !== '',
      'is not a name in AWS.',
      'Write a name, a full ARN, or the beginning of one with * at its end, such as prod/web/*.',
    ),
  );

export const awsSecrets = strict({
  repositories: z.array(pattern).min(1).max(500),
  region,
  parameters: z.array(awsName).min(1).max(500).optional(),
  secrets: z.array(awsName).min(1).max(500).optional(),
}).check(
  rule(
    (written) => written.parameters !== undefined || written.secrets !== undefined,
    'allows nothing.',
    'Write parameters: for Parameter Store, secrets: for Secrets Manager, or both.',
  ),
  rule(
    ({ region: own, parameters = [], secrets = [] }) =>
      [...parameters, ...secrets].every((name) => !name.startsWith('arn:') || name.split(':')[3] === own),
    'names an ARN of another region.',
    'Write one entry for each region.',
  ),
);
export type WrittenAwsSecrets = z.output<typeof awsSecrets>;

const grantedName = z
  .string()
  .check(
    rule(
      (text) => text.length <= 255 && text.trim() === text && text !== '',
      'is not a name.',
      'Write the name that AWS shows; * stands for any run of characters, as in web-*.',
    ),
  );
const grantedNames = z.array(grantedName).min(1).max(200).optional();

export const grant = strict({
  repositories: z.array(oneRepository).min(1).max(500),
  region,
  roleArn,
  externalId: externalId.optional(),
  alarms: grantedNames,
  functions: grantedNames,
  answersAt: z
    .string()
    .check(
      rule(
        (text) => /^(?:https:\/\/[^/?#@\s]+|http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?)(?:\/[^?#@\s]*)?$/.test(text),
        'is not an address.',
        'Write where functions reach the CodePipeline API of this server by https, as in https://penstock.example.com:8443.',
      ),
    )
    .optional(),
})
  .check(
    rule(
      ({ alarms, functions }) => alarms !== undefined || functions !== undefined,
      'allows nothing.',
      'List alarms, functions or both.',
    ),
  )
  .check(
    rule(
      ({ functions, answersAt }) => functions === undefined || answersAt !== undefined,
      'lets functions be called that could not answer.',
      'Add answersAt: the address of the CodePipeline API of this server as functions reach it.',
    ),
  );
export type WrittenGrant = z.output<typeof grant>;
