import { z } from 'zod';
import { apiSchema, eventsSchema, noticesSchema } from './api-schema.ts';
import { awsSecrets, binding, grant, queue } from './aws-schema.ts';
import { limitsSchema } from './limits-schema.ts';
import { pattern } from './repository-pattern.ts';
import { rule, strict } from './schema-problems.ts';

/** The shape of penstock.server.yml. */

const host = z
  .string()
  .check(
    rule(
      (text) =>
        /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i.test(text) &&
        text.length <= 253,
      'is not a host.',
      'Write a host name, or *.example.org for all below it; no scheme, port or path.',
    ),
  );

const secretName = z
  .string()
  .check(
    rule(
      (text) => /^[A-Za-z0-9_](?:[A-Za-z0-9_./@+=-]{0,254})$/.test(text),
      'is not a name for a secret.',
      'Use letters, digits and _ . / @ + = -, such as NPM_TOKEN or prod/npm.',
    ),
  );

const secret = strict({
  fromEnv: z
    .string()
    .check(
      rule(
        (text) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(text),
        'is not a name of the environment.',
        'Write it as in NPM_TOKEN.',
      ),
    )
    .optional(),
  fromFile: z.string().min(1).optional(),
  repositories: z.array(pattern).min(1).max(500),
}).check(
  rule(
    (written) => (written.fromEnv === undefined) !== (written.fromFile === undefined),
    'needs one source.',
    'Write either fromEnv: NAME or fromFile: path.',
  ),
);
export type WrittenSecret = z.output<typeof secret>;

export const serverSchema = strict({
  repositories: z.array(pattern).min(1).max(1000).optional(),
  bindings: z.array(binding).max(1000).optional(),
  github: strict({
    writesAtOnce: z.int().min(1).max(10_000).optional(),
    writesPerSecond: z.int().min(1).max(1_000).optional(),
  }).optional(),
  aws: strict({
    callsPerSecond: z.int().min(1).max(100).optional(),
    queues: z.array(queue).max(50).optional(),
  }).optional(),
  embedded: strict({
    isolation: z.enum(['auto', 'bubblewrap', 'unshare', 'process']).optional(),
    network: z.enum(['proxy', 'none']).optional(),
    allowHosts: z.array(host).min(1).max(500).optional(),
    maxConcurrentActions: z.int().min(1).max(256).optional(),
    limits: limitsSchema.optional(),
    aws: z.array(grant).max(500).optional(),
  }).optional(),
  secrets: z.record(secretName, secret).optional(),
  awsSecrets: z.array(awsSecrets).max(500).optional(),
  approvals: strict({
    allowAuthor: z.boolean().optional(),
    allowLastPusher: z.boolean().optional(),
    allowCommitters: z.boolean().optional(),
  }).optional(),
  api: apiSchema.optional(),
  events: eventsSchema.optional(),
  notices: noticesSchema.optional(),
});
