import { z } from 'zod';

/** Conditions and rules in a declaration (CP 1.2, CP 2.10). */

const rule = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[A-Za-z0-9.@\-_]+$/),
  ruleTypeId: z.strictObject({
    category: z.literal('Rule'),
    owner: z.literal('AWS').default('AWS'),
    provider: z
      .string()
      .min(1)
      .max(35)
      .regex(/^[0-9A-Za-z_-]+$/),
    version: z.string().min(1).max(9).default('1'),
  }),
  configuration: z.record(z.string().min(1).max(50), z.string().min(1).max(10_000)).default({}),
  commands: z.array(z.string().min(1).max(1000)).max(50).default([]),
  inputArtifacts: z.array(z.strictObject({ name: z.string().min(1).max(100) })).default([]),
  roleArn: z
    .string()
    .max(1024)
    .regex(/^arn:aws(-[\w]+)*:iam::[0-9]{12}:role\/.*$/)
    .exactOptional(),
  region: z.string().min(4).max(30).exactOptional(),
  timeoutInMinutes: z.int().min(5).max(86_400).exactOptional(),
});

const result = z.enum(['ROLLBACK', 'FAIL', 'RETRY', 'SKIP']);

export const conditionShape = z.strictObject({
  result: result.exactOptional(),
  rules: z.array(rule).min(1).max(5).default([]),
});

export const onFailureShape = z.strictObject({
  result: result.exactOptional(),
  retryConfiguration: z
    .strictObject({ retryMode: z.enum(['FAILED_ACTIONS', 'ALL_ACTIONS']).exactOptional() })
    .exactOptional(),
  conditions: z.array(conditionShape).length(1).exactOptional(),
});
