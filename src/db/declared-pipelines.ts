import { sql, type Kysely } from 'kysely';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { LaneKey } from '../pipeline/execution.ts';
import type { Database } from './database.ts';

/** A lane of a pipeline that a repository declares, as far as the embedded engine ran something of it. */
export interface DeclaredLane {
  /** The name in .github/penstock.yml. */
  readonly pipeline: string;
  /** null: the lane of pushes. */
  readonly pullRequest: number | null;
  readonly lane: LaneKey;
  /** That the newest execution went by. */
  readonly definition: PipelineDefinition;
  readonly digest: string;
  /** Of the first execution and of the newest one. */
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What the lane goes by; when nothing ran in it yet and `anyLane` is set, what the pipeline's other lanes go by. */
export async function findDeclaredLane(
  db: Kysely<Database>,
  wanted: {
    readonly repositoryId: number;
    readonly pipeline: string;
    readonly lane: LaneKey;
    readonly anyLane: boolean;
  },
): Promise<Omit<DeclaredLane, 'pipeline' | 'pullRequest' | 'lane'> | null> {
  const { repositoryId, pipeline, lane, anyLane } = wanted;
  const { rows } = await sql<Omit<DeclaredLane, 'pipeline' | 'pullRequest' | 'lane'>>`
    select e.definition as digest, d.definition, e.started_at as "updatedAt",
      (select min(f.started_at) from executions f where f.lane = e.lane) as "createdAt"
    from executions e join definitions d on d.digest = e.definition
    where e.repository_id = ${repositoryId} and e.pipeline = ${pipeline} and ${ofRepository}
      and (${anyLane}::boolean or e.lane = ${lane})
    order by (e.lane = ${lane}) desc, (e.state->>'type' = 'STANDARD') desc, e.started_at desc limit 1`.execute(db);
  return rows[0] ?? null;
}

/** Of pull requests only those in which something runs, or changed in the last `days`. */
export async function listDeclaredLanes(
  db: Kysely<Database>,
  repositoryId: number,
  days: number,
): Promise<readonly DeclaredLane[]> {
  const { rows } = await sql<DeclaredLane>`
    select distinct on (e.lane) e.lane, l.pipeline, l.pull_request as "pullRequest", e.definition as digest,
      d.definition, e.started_at as "updatedAt",
      (select min(f.started_at) from executions f where f.lane = e.lane) as "createdAt"
    from executions e join definitions d on d.digest = e.definition join lanes l on l.key = e.lane
    where e.repository_id = ${repositoryId} and ${ofRepository}
      and (l.pull_request is null or l.updated_at > now() - make_interval(days => ${days})
        or exists (select 1 from executions r where r.lane = e.lane and r.live))
    order by e.lane, (e.state->>'type' = 'STANDARD') desc, e.started_at desc`.execute(db);
  return rows;
}

/** Neither made through the API, nor run by AWS, which answers for itself. */
const ofRepository = sql<boolean>`(e.lane !~ '/api-[0-9]+$' and e.state->'aws' is null)`;
