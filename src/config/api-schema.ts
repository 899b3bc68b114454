import { z } from 'zod';
import { pattern } from './repository-pattern.ts';
import { rule, strict } from './schema-problems.ts';

/** The parts `api`, `events` and `notices` of penstock.server.yml. */

const account = z
  .string()
  .check(rule((text) => /^\d{12}$/.test(text), 'is not an AWS account.', 'Write 12 digits in quotes.'));
const region = z
  .string()
  .check(rule((text) => /^[a-z]{2}(?:-[a-z]+)+-\d$/.test(text), 'is not an AWS region.', 'Write it as in eu-west-1.'));

function isHttp(text: string, schemes: readonly string[]): boolean {
  const url = URL.parse(text);
  return url !== null && schemes.includes(url.protocol) && url.username === '' && url.password === '' && !url.hash;
}

export const apiSchema = strict({
  port: z.int().min(0).max(65_535).optional(),
  host: z.string().min(1).max(253).optional(),
  url: z
    .string()
    .check(
      rule(
        (text) => isHttp(text, ['http:', 'https:']) && new URL(text).pathname === '/' && !text.includes('?'),
        'is not an address.',
        'Write where callers reach the API, such as https://pipelines.example.org.',
      ),
    )
    .optional(),
  account: account.optional(),
  region: region.optional(),
  continuationDelaySeconds: z.int().min(0).max(3600).optional(),
});

export type WrittenApi = z.output<typeof apiSchema>;

const name = z
  .string()
  .check(
    rule(
      (text) => /^[A-Za-z0-9_-]{1,64}$/.test(text),
      'is not a name.',
      'Use letters, digits, hyphens and underscores.',
    ),
  );

const key = strict({ fromEnv: z.string().min(1).optional(), fromFile: z.string().min(1).optional() }).check(
  rule(
    (written) => (written.fromEnv === undefined) !== (written.fromFile === undefined),
    'needs one source.',
    'Write either fromEnv: NAME or fromFile: path.',
  ),
);

const receiver = {
  https: strict({
    url: z
      .string()
      .check(rule((text) => isHttp(text, ['http:', 'https:']), 'is not an address.', 'Write it as https://host/path.')),
    key,
    allowPrivate: z.boolean().optional(),
  })
    .check(
      rule(
        ({ url, allowPrivate }) => url.startsWith('https:') || allowPrivate === true,
        'begins with http:, so everything would travel in the clear.',
        'Write https:, or set allowPrivate: true for an address of your own network.',
      ),
    )
    .optional(),
  sqs: strict({
    queueUrl: z
      .string()
      .check(
        rule(
          (text) =>
            isHttp(text, ['https:']) || (isHttp(text, ['http:']) && /^http:\/\/(?:127\.|localhost[:/])/.test(text)),
          'is not the address of a queue.',
          'Write it as https://sqs.eu-west-1.amazonaws.com/111122223333/name.',
        ),
      ),
    region,
  }).optional(),
  repositories: z.array(pattern).min(1).max(500).optional(),
};

const oneReceiver = rule(
  (written: { readonly https?: unknown; readonly sqs?: unknown }) =>
    (written.https === undefined) !== (written.sqs === undefined),
  'needs one receiver.',
  'Write either https: or sqs:.',
);

const sink = strict(receiver).check(oneReceiver);
export type WrittenSink = z.output<typeof sink>;

export const eventsSchema = z.record(name, sink);

const topic = z
  .string()
  .check(
    rule(
      (text) => /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(?:\.fifo)?$/.test(text),
      'is not the ARN of a topic.',
      'Write it as the NotificationArn of the action: arn:aws:sns:<region>:<account>:<topic>.',
    ),
  );

export const noticesSchema = z.record(
  name,
  strict({ ...receiver, topics: z.array(topic).min(1).max(500).optional() }).check(oneReceiver),
);
export type WrittenNotices = z.output<typeof noticesSchema>;
