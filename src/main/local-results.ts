import { copyFile, link, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ActionDeclaration, PipelineDefinition } from '../pipeline/definition.ts';
import type { ActionRun, Execution } from '../pipeline/execution.ts';
import { allotLocation, openArtifactStore } from '../providers/artifact-store.ts';
import type { StoredObject } from '../providers/stored-object.ts';

/** What an execution gave, as files under names that a person can use. */
export interface LocalResults {
  /** Output artifacts as ZIP files, by name. */
  readonly artifacts: readonly StoredFile[];
  /** What its S3 deploy actions put, as `s3://bucket/key`. */
  readonly objects: readonly StoredFile[];
}

export interface StoredFile {
  readonly name: string;
  readonly file: string;
  readonly size: number;
}

interface Done {
  readonly declaration: ActionDeclaration;
  readonly run: ActionRun;
}

/** Where artifacts lie when the declaration names no bucket. */
export function artifactBucketOf({ artifactStore }: PipelineDefinition): string {
  return artifactStore?.location ?? 'penstock-artifacts';
}

/** Fills `<home>/results/<pipeline>` anew. Contents are links to the store's files: nothing is copied. */
export async function linkResults(
  home: string,
  definition: PipelineDefinition,
  execution: Execution,
): Promise<LocalResults> {
  const folder = join(home, 'results', safeName(definition.name));
  await rm(folder, { recursive: true, force: true });
  const done = doneActions(definition, execution);
  return { artifacts: await artifactsOf(home, folder, definition, done), objects: await objectsOf(home, folder, done) };
}

function doneActions(definition: PipelineDefinition, execution: Execution): readonly Done[] {
  return execution.stages.flatMap(({ stage, actions }) => {
    const declared = definition.stages.find(({ name }) => name === stage)?.actions ?? [];
    return actions.flatMap((run) => {
      const declaration = declared.find(({ name }) => name === run.action);
      return declaration === undefined || run.status !== 'Succeeded' ? [] : [{ declaration, run }];
    });
  });
}

async function artifactsOf(
  home: string,
  folder: string,
  definition: PipelineDefinition,
  done: readonly Done[],
): Promise<readonly StoredFile[]> {
  const store = openArtifactStore(home);
  const outputs = done.flatMap(({ declaration, run }) =>
    declaration.outputArtifacts.map(({ name }) => ({ name, run })),
  );
  const files = outputs.map(async ({ name, run }) => {
    const location = allotLocation(artifactBucketOf(definition), definition.name, name, `${run.id}/${name}`);
    const stored = await store.describe(location);
    return stored === null ? [] : place(stored, join(folder, 'artifacts', `${safeName(name)}.zip`), name);
  });
  return (await Promise.all(files)).flat();
}

async function objectsOf(home: string, folder: string, done: readonly Done[]): Promise<readonly StoredFile[]> {
  const store = openArtifactStore(home);
  const deployed = new Map<string, string>();
  for (const { declaration, run } of done) {
    const { category, provider } = declaration.actionTypeId;
    const bucket = declaration.configuration['BucketName'];
    if (category !== 'Deploy' || provider !== 'S3' || bucket === undefined) continue;
    const before = deployed.get(bucket);
    if (before === undefined || run.startedAt < before) deployed.set(bucket, run.startedAt);
  }
  const found: StoredFile[] = [];
  for (const [bucket, since] of deployed) {
    // A bucket keeps what earlier runs put.
    const fresh = (await store.list(bucket)).filter(({ storedAt }) => storedAt >= since);
    for (const stored of fresh) {
      const path = stored.location.key.split('/').map(safeName);
      const file = join(folder, 'buckets', safeName(bucket), ...path);
      found.push(...(await place(stored, file, `s3://${bucket}/${stored.location.key}`)));
    }
  }
  return found;
}

/** A key may be a file and a folder at once; then the first one has the name and the other stays in the store. */
async function place({ file: from, size }: StoredObject, file: string, name: string): Promise<readonly StoredFile[]> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await link(from, file).catch(() => copyFile(from, file));
    return [{ name, file, size }];
  } catch {
    return [{ name, file: from, size }];
  }
}

/** Names of pipelines, buckets and keys become one step of a path, and never one that leads out. */
function safeName(name: string): string {
  const safe = name.replaceAll(/[/\\\0]/g, '_');
  return /^\.{0,2}$/.test(safe) ? `_${safe}` : safe;
}
