import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { pruneDeadEvents } from '../db/aws-dead-events.ts';
import type { Database } from '../db/database.ts';
import { allDefinitions } from '../db/definitions.ts';
import { pruneDeliveries } from '../db/deliveries.ts';
import { describeError } from '../errors.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { ArtifactStore } from '../providers/artifact-store.ts';
import { expireHome } from '../providers/housekeeping.ts';

/** Days that logs, artifacts, build caches, replaced versions of objects and bodies of webhooks are kept (docs/operations.md). */
export const retention = { logDays: 30, artifactDays: 30, cacheDays: 14, versionDays: 30, deliveryDays: 30 } as const;

const everyMs = 6 * 60 * 60_000;

export interface HousekeepingOptions {
  readonly db: Kysely<Database>;
  readonly home: string;
  readonly artifacts: ArtifactStore;
  readonly now: () => Date;
  readonly log: Logger;
}

/** Removes what is past its time, at start and every six hours. Answers how to end it. */
export function startHousekeeping(options: HousekeepingOptions): () => void {
  const timer = setInterval(() => void clean(options), everyMs);
  timer.unref();
  void clean(options);
  return () => clearInterval(timer);
}

async function clean({ db, home, artifacts, now, log }: HousekeepingOptions): Promise<void> {
  try {
    const artifactBuckets = bucketsToEmpty(await allDefinitions(db));
    const gone = await expireHome(home, artifacts, { ...retention, artifactBuckets }, now());
    const deliveries = await pruneDeliveries(db, new Date(now().getTime() - retention.deliveryDays * 86_400_000));
    await pruneDeadEvents(db, new Date(now().getTime() - retention.deliveryDays * 86_400_000));
    if (gone.logs + gone.objects + deliveries > 0) log.info({ ...gone, deliveries }, 'removed what is past its time');
  } catch (error) {
    log.warn({ error: describeError(error) }, 'housekeeping did not get to its end');
  }
}

/** Stores of artifacts; never a bucket that some pipeline deploys to. */
export function bucketsToEmpty(definitions: readonly PipelineDefinition[]): readonly string[] {
  const stores = definitions.flatMap((one) => one.artifactStore?.location ?? []);
  const deployed = definitions.flatMap(({ stages }) =>
    stages.flatMap(({ actions }) => actions.flatMap(({ configuration }) => configuration['BucketName'] ?? [])),
  );
  return [...new Set(['penstock-artifacts', ...stores])].filter((bucket) => !deployed.includes(bucket));
}
