import { z } from 'zod';
import { conditionShape, onFailureShape } from './condition-shape.ts';
import { triggerShape } from './trigger-shape.ts';

/**
 * The shape of a declaration (CP 1.2): bounds, patterns and defaults of CodePipeline's model. Unknown keys are errors.
 * What needs more than one field to judge is in `structure-checks.ts` and its neighbours.
 */

const name = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[A-Za-z0-9.@\-_]+$/);
const artifactName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[a-zA-Z0-9_-]+$/);
const token = z
  .string()
  .min(1)
  .regex(/^[0-9A-Za-z_-]+$/);
const roleArn = z
  .string()
  .max(1024)
  .regex(/^arn:aws(-[\w]+)*:iam::[0-9]{12}:role\/.*$/);

const actionTypeId = z.strictObject({
  category: z.enum(['Source', 'Build', 'Deploy', 'Test', 'Invoke', 'Approval', 'Compute']),
  owner: z.enum(['AWS', 'ThirdParty', 'Custom']),
  provider: token.max(35),
  version: token.max(9),
});

const environmentVariable = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Za-z0-9_]+$/),
  value: z.string().max(2000),
  type: z.enum(['PLAINTEXT', 'SECRETS_MANAGER']).default('PLAINTEXT'),
});

const action = z.strictObject({
  name,
  actionTypeId,
  runOrder: z.int().min(1).max(999).default(1),
  configuration: z.record(z.string().min(1).max(50), z.string().min(1).max(50_000)).default({}),
  commands: z.array(z.string().min(1).max(1000)).max(50).default([]),
  environmentVariables: z.array(environmentVariable).max(10).default([]),
  outputVariables: z.array(z.string().min(1).max(128)).max(15).default([]),
  inputArtifacts: z.array(z.strictObject({ name: artifactName })).default([]),
  outputArtifacts: z
    .array(
      z.strictObject({
        name: artifactName,
        files: z.array(z.string().min(1).max(128)).min(1).max(10).exactOptional(),
      }),
    )
    .default([]),
  roleArn: roleArn.exactOptional(),
  region: z.string().min(4).max(30).exactOptional(),
  namespace: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[A-Za-z0-9@\-_]+$/)
    .exactOptional(),
  timeoutInMinutes: z.int().min(5).max(86_400).exactOptional(),
});

const stage = z.strictObject({
  name,
  blockers: z.array(z.strictObject({ name: z.string().min(1).max(100), type: z.literal('Schedule') })).default([]),
  actions: z.array(action).min(1),
  beforeEntry: z.strictObject({ conditions: z.array(conditionShape).length(1) }).exactOptional(),
  onSuccess: z.strictObject({ conditions: z.array(conditionShape).length(1) }).exactOptional(),
  onFailure: onFailureShape.exactOptional(),
});

const artifactStore = z.strictObject({
  type: z.literal('S3'),
  location: z
    .string()
    .min(3)
    .max(63)
    .regex(/^[a-zA-Z0-9\-.]+$/),
  encryptionKey: z.strictObject({ id: z.string().min(1).max(400), type: z.literal('KMS') }).exactOptional(),
});

const variable = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Za-z0-9@\-_]+$/),
  defaultValue: z.string().min(1).max(1000).exactOptional(),
  description: z.string().max(200).exactOptional(),
});

export const declarationShape = z.strictObject({
  name,
  roleArn,
  artifactStore: artifactStore.exactOptional(),
  artifactStores: z.record(z.string(), artifactStore).exactOptional(),
  stages: z.array(stage),
  version: z.int().min(1).default(1),
  executionMode: z.enum(['SUPERSEDED', 'QUEUED', 'PARALLEL']).default('SUPERSEDED'),
  pipelineType: z.enum(['V1', 'V2']).exactOptional(),
  variables: z.array(variable).max(50).default([]),
  triggers: z.array(triggerShape).max(50).default([]),
});

export type ShapedDeclaration = z.output<typeof declarationShape>;

/** JSON Schema (draft 2020-12) of a declaration file, for editors: the bare declaration, or `{pipeline, metadata}`. */
export function declarationJsonSchema(): Record<string, unknown> {
  const bare = z.toJSONSchema(declarationShape, { io: 'input' });
  const { $schema, ...declaration } = bare;
  const metadata = { type: 'object', description: 'Printed by get-pipeline; not read.' };
  return {
    $schema,
    title: 'CodePipeline declaration',
    $defs: { declaration },
    anyOf: [
      { $ref: '#/$defs/declaration' },
      {
        type: 'object',
        properties: { pipeline: { $ref: '#/$defs/declaration' }, metadata },
        required: ['pipeline'],
        additionalProperties: false,
      },
    ],
  };
}
