import { sql, type Kysely, type Transaction } from 'kysely';
import type { LaneKey } from '../pipeline/execution.ts';
import type { StageBook } from '../pipeline/protocol.ts';
import type { Database } from './database.ts';
import { jsonText } from './json.ts';

/** A lane's row. */
export interface Lane {
  readonly key: LaneKey;
  readonly repositoryId: number;
  readonly pipeline: string;
  readonly pullRequest: number | null;
  readonly started: number;
  readonly stages: Readonly<Record<string, StageBook>>;
  /** Digest of the definition in force, once an update set one. */
  readonly current: string | null;
}

export interface NewLane {
  readonly repositoryId: number;
  readonly pipeline: string;
  readonly pullRequest?: number;
}

/** Takes the row lock under which a lane moves, until the transaction ends. Makes the row when it is missing. */
export async function lockLane(trx: Transaction<Database>, key: LaneKey, fresh: NewLane): Promise<Lane> {
  await trx
    .insertInto('lanes')
    .values({
      key,
      repository_id: fresh.repositoryId,
      pipeline: fresh.pipeline,
      pull_request: fresh.pullRequest ?? null,
      stages: '{}',
    })
    .onConflict((oc) => oc.column('key').doNothing())
    .execute();
  return fromRow(await selectLanes(trx).where('key', '=', key).forUpdate().executeTakeFirstOrThrow());
}

/** Without a lock: for showing and for finding one's way, never for deciding. */
export async function loadLane(db: Kysely<Database>, key: LaneKey): Promise<Lane | null> {
  const row = await selectLanes(db).where('key', '=', key).executeTakeFirst();
  return row === undefined ? null : fromRow(row);
}

/** All lanes of one pipeline, without locks. */
export async function lanesOfPipeline(db: Kysely<Database>, repositoryId: number, pipeline: string) {
  const query = selectLanes(db).where('repository_id', '=', repositoryId).where('pipeline', '=', pipeline);
  return (await query.orderBy('key').execute()).map(fromRow);
}

type SavedLane = Pick<Lane, 'key' | 'started' | 'stages'> & Partial<Pick<Lane, 'current'>>;

export async function saveLane(trx: Transaction<Database>, lane: SavedLane) {
  const current = lane.current === undefined ? {} : { current: lane.current };
  await trx
    .updateTable('lanes')
    .set({ started: lane.started, stages: jsonText(lane.stages), ...current, updated_at: sql<Date>`now()` })
    .where('key', '=', lane.key)
    .execute();
}

function fromRow(row: Omit<Lane, 'key'> & { key: string }): Lane {
  return { ...row, key: row.key as LaneKey };
}

function selectLanes(db: Kysely<Database>) {
  return db
    .selectFrom('lanes')
    .select(['key', 'repository_id as repositoryId', 'pipeline', 'pull_request as pullRequest', 'started', 'stages'])
    .select('current');
}
