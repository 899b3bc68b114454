import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { ArtifactStore } from './artifact-store.ts';
import { sharedBuckets, type BucketOf } from './bucket-names.ts';
import { localId, repeatableWork, type Background, type WorkContext } from './background.ts';
import type { ActionProvider, StartedAction } from './provider.ts';
import { failed, type EndReport } from './reports.ts';
import { makeWorkArea, unpackInputs, type WorkArea } from './work-area.ts';
import { listFiles } from './zip.ts';

export interface DeployDeps {
  readonly home: string;
  readonly artifacts: ArtifactStore;
  readonly background: Background;
  readonly bucketOf?: BucketOf;
}

const Configuration = z
  .strictObject({
    BucketName: z.string().min(1),
    Extract: z.enum(['true', 'false']),
    ObjectKey: z.string().optional(),
    KMSEncryptionKeyARN: z.string().optional(),
    CannedACL: z.string().optional(),
    CacheControl: z.string().optional(),
  })
  .refine((configuration) => configuration.Extract === 'true' || configuration.ObjectKey !== undefined, {
    path: ['ObjectKey'],
    message: 'ObjectKey is required when Extract is false.',
  });
type Configuration = z.infer<typeof Configuration>;

/** Deploys into the local object store, as CodePipeline deploys to a bucket: objects are put, none is ever deleted. */
export function s3Deploy(deps: DeployDeps): ActionProvider<Configuration> {
  const work = (action: StartedAction<Configuration>) =>
    repeatableWork(action, (context) => deploy(deps, action, context));
  return {
    type: { category: 'Deploy', owner: 'AWS', provider: 'S3', version: '1' },
    configuration: Configuration,
    artifacts: { in: [1, 1], out: [0, 0] },
    start: (action) => deps.background.start(work(action)),
    poll: (action) => deps.background.poll(action.token, work(action)),
    stop: (action) => deps.background.stop(action.token),
  };
}

async function deploy(
  deps: DeployDeps,
  action: StartedAction<Configuration>,
  context: WorkContext,
): Promise<EndReport> {
  const key = placeholders(action.configuration.ObjectKey ?? '', action.token, context.startedAt);
  if (action.configuration.Extract === 'false') return deployObject(deps, action, key);
  const area = await makeWorkArea(deps.home, action.actionExecution);
  try {
    return await deployFiles(deps, action, { area, prefix: key }, context.signal);
  } finally {
    await area.remove();
  }
}

async function deployObject(deps: DeployDeps, action: StartedAction<Configuration>, key: string): Promise<EndReport> {
  const [input] = action.inputs;
  const stored = input === undefined ? null : await deps.artifacts.get(input.location);
  if (stored === null)
    return failed('ConfigurationError', `The input artifact ${input?.name ?? ''} was never written (NoSuchKey).`);
  const bucket = (deps.bucketOf ?? sharedBuckets)(action.repository, action.configuration.BucketName);
  await deps.artifacts.put({ bucket, key }, { file: stored.file });
  action.log.write(`Put s3://${action.configuration.BucketName}/${key} (${stored.size} bytes)\n`);
  return done(action, `1 object in ${action.configuration.BucketName}`);
}

async function deployFiles(
  deps: DeployDeps,
  action: StartedAction<Configuration>,
  { area, prefix }: { readonly area: WorkArea; readonly prefix: string },
  signal: AbortSignal,
): Promise<EndReport> {
  const directories = await unpackInputs(deps.artifacts, area, action.inputs);
  const directory = directories.get(action.inputs[0]?.name ?? '');
  if (directory === undefined) return failed('ConfigurationError', 'The S3 deploy action needs one input artifact.');
  const bucket = action.configuration.BucketName;
  const place = (deps.bucketOf ?? sharedBuckets)(action.repository, bucket);
  const under = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  const files = await listFiles(directory);
  for (const { path } of files) {
    if (signal.aborted) return failed('JobFailed', 'The action was stopped. Objects that it had put already stay.');
    await deps.artifacts.put({ bucket: place, key: `${under}${path}` }, { file: join(directory, path) });
    action.log.write(`Put s3://${bucket}/${under}${path}\n`);
  }
  return done(action, `${files.length} ${files.length === 1 ? 'object' : 'objects'} in ${bucket}`);
}

function done(action: StartedAction<Configuration>, summary: string): EndReport {
  return { kind: 'succeeded', outputVariables: {}, externalId: localId(action.token), summary };
}

/** Both depend on the first start alone, so that a repeated start writes the same keys. */
function placeholders(key: string, token: string, startedAt: Date): string {
  const [date = '', time = ''] = startedAt.toISOString().split('T');
  const [year, month, day] = date.split('-');
  const stamp = `${month}-${day}-${year}_${time.slice(0, 8).replaceAll(':', '-')}`;
  const hex = createHash('sha256').update(token).digest('hex');
  const uuid = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
  return key.replaceAll('{datetime}', stamp).replaceAll('{uuid}', uuid);
}
