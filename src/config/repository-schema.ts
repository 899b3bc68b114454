import { z } from 'zod';
import { gateSchema } from './gates-schema.ts';
import { gateName, pipelineName, projectName, repositoryPath, stageName, variableName } from './names.ts';
import { rule, strict } from './schema-problems.ts';

/** The shape of .github/penstock.yml; also the source of the JSON Schema for editors. */

const pattern = z.string().min(1).max(255);
const patterns = strict({
  includes: z.array(pattern).min(1).max(8).optional(),
  excludes: z.array(pattern).min(1).max(8).optional(),
});

const pushFilter = strict({
  tags: patterns.optional(),
  branches: patterns.optional(),
  filePaths: patterns.optional(),
}).check(
  rule(
    (filter) => filter.tags === undefined || (filter.branches === undefined && filter.filePaths === undefined),
    'mixes tags with branches or files, which CodePipeline refuses (CP-D-32).',
    'Make two entries of the list: one for tags, one for branches.',
  ),
);

const pullRequestFilter = strict({
  events: z
    .array(z.enum(['OPEN', 'UPDATED', 'CLOSED']))
    .min(1)
    .max(3)
    .optional(),
  branches: patterns.optional(),
  filePaths: patterns.optional(),
});

/** CodePipeline's own filters, with its limits (CP 1.8). */
const on = strict({
  push: z.array(pushFilter).max(3).optional(),
  pullRequest: z.array(pullRequestFilter).max(3).optional(),
});

export const inlineKeys = ['stages', 'variables', 'executionMode', 'pipelineType', 'artifactStore'] as const;

const pipeline = strict({
  engine: z.enum(['embedded', 'aws']).optional(),
  starts: z.enum(['bot', 'aws', 'both']).optional(),
  definition: repositoryPath.optional(),
  stages: z.array(z.unknown()).optional(),
  variables: z.array(z.unknown()).optional(),
  executionMode: z.unknown().optional(),
  pipelineType: z.unknown().optional(),
  artifactStore: z.unknown().optional(),
  on: on.optional(),
  exclusive: z.array(stageName).max(50).optional(),
  mergeGroup: z.enum(['pass', 'run', 'skip']).optional(),
  gates: z.record(gateName, gateSchema).optional(),
});
export type WrittenPipeline = z.output<typeof pipeline>;

const variableValue = z.string().max(5120);
const project = strict({
  buildspec: repositoryPath.optional(),
  timeoutInMinutes: z.int().min(5).max(2160).optional(),
  environment: z
    .record(
      variableName,
      z.union([
        variableValue,
        strict({ value: variableValue, type: z.enum(['PLAINTEXT', 'PARAMETER_STORE', 'SECRETS_MANAGER']) }),
      ]),
    )
    .optional(),
});
export type WrittenProject = z.output<typeof project>;

function atMost(most: number, what: string) {
  return rule<Record<string, unknown>>(
    (entries) => Object.keys(entries).length <= most,
    `has more than ${most} ${what}.`,
    `Keep at most ${most} in one repository.`,
  );
}

export const repositorySchema = strict({
  pipelines: z.record(pipelineName, pipeline).check(
    rule(
      (all) => Object.keys(all).length > 0,
      'names no pipeline.',
      'Add one, for example `web: { definition: ci/web.pipeline.json }`.',
    ),
    atMost(50, 'pipelines'),
  ),
  projects: z.record(projectName, project).check(atMost(200, 'projects')).optional(),
  commands: strict({ bare: z.boolean().optional() }).optional(),
  statusComment: z.boolean().optional(),
});
