import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

/**
 * Makes shapes.json, the table of facts about CodePipeline's wire: members, bounds, patterns and enums, no prose.
 * Source: the published service model (`codepipeline/2015-07-09/service-2.json`, plain or gzipped), as it comes with any
 * AWS CLI. Run: `node src/codepipeline-api/generate-shapes.ts <file> > src/codepipeline-api/shapes.json`, then prettier.
 */

const reference = z.object({ shape: z.string() });

const modelShape = z.object({
  type: z.string(),
  members: z.record(z.string(), reference).optional(),
  required: z.array(z.string()).optional(),
  member: reference.optional(),
  key: reference.optional(),
  value: reference.optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  pattern: z.string().optional(),
  enum: z.array(z.string()).optional(),
  exception: z.boolean().optional(),
});

const model = z.object({
  operations: z.record(
    z.string(),
    z.object({ input: reference.optional(), output: reference.optional(), errors: z.array(reference).optional() }),
  ),
  shapes: z.record(z.string(), modelShape),
});

/** CP-D-9: the service takes 50,000 characters where its model says 1,000; the action types have bounds of their own. */
const corrections: Readonly<Record<string, { readonly max: number }>> = { ActionConfigurationValue: { max: 50_000 } };

export function tableOf(published: unknown): Record<string, unknown> {
  const { operations, shapes } = model.parse(published);
  return {
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, { input, output, errors }]) => [
        name,
        {
          input: input?.shape ?? '',
          ...(output && { output: output.shape }),
          errors: (errors ?? []).map((error) => error.shape),
        },
      ]),
    ),
    shapes: Object.fromEntries(
      Object.entries(shapes)
        .filter(([, shape]) => shape.exception !== true)
        .map(([name, shape]) => [name, { ...factsOf(shape), ...corrections[name] }]),
    ),
  };
}

function factsOf({
  type,
  members,
  required,
  member,
  key,
  value,
  min,
  max,
  pattern,
  ...rest
}: z.infer<typeof modelShape>) {
  return {
    type,
    ...(members && {
      members: Object.fromEntries(Object.entries(members).map(([name, { shape }]) => [name, shape])),
    }),
    ...(required && { required }),
    ...(member && { member: member.shape }),
    ...(key && { key: key.shape }),
    ...(value && { value: value.shape }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    // `.*` says nothing, and would refuse line breaks that the service takes.
    ...(pattern !== undefined && pattern !== '.*' && { pattern }),
    ...(rest.enum && { enum: rest.enum }),
  };
}

export function readModel(file: string): unknown {
  const bytes = readFileSync(file);
  return JSON.parse((file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString());
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(tableOf(readModel(process.argv[2] ?? '')), null, 1)}\n`);
