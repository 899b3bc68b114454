import type { Generated } from 'kysely';
import type { GeneratedTimestamp, Json, NullableTimestamp } from './column-types.ts';

/** Tables of the CodePipeline API (migrations/0003). `scope` is a repository's id, or 0 for admin keys. */
export interface ApiTables {
  api_keys: ApiKeyTable;
  api_pipelines: ApiPipelineTable;
  api_pipeline_versions: ApiPipelineVersionTable;
  api_webhooks: ApiWebhookTable;
  api_buckets: ApiBucketTable;
}

export type Tags = Readonly<Record<string, string>>;

interface ApiKeyTable {
  access_key_id: string;
  /** SigV4 needs the secret itself, so it is encrypted, not hashed; the key for that is a file of the server. */
  sealed_secret: Buffer;
  /** null: an admin key. */
  repository_id: number | null;
  read_only: boolean;
  /** Its answer releases gates of the repository's own pipelines. */
  may_approve: Generated<boolean>;
  created_at: GeneratedTimestamp;
  revoked_at: NullableTimestamp;
}

interface ApiPipelineTable {
  /** Never used again: a pipeline that is deleted and made anew has another lane. */
  id: Generated<number>;
  scope: number;
  name: string;
  version: number;
  digest: string;
  tags: Json<Tags>;
  created_at: GeneratedTimestamp;
  updated_at: GeneratedTimestamp;
}

interface ApiPipelineVersionTable {
  pipeline_id: number;
  version: number;
  digest: string;
  created_at: GeneratedTimestamp;
}

interface ApiWebhookTable {
  scope: number;
  name: string;
  /** The unguessable part of its address. */
  path: string;
  target_pipeline: string;
  target_action: string;
  authentication: string;
  /** The authentication's configuration as JSON, encrypted. */
  sealed_configuration: Buffer;
  filters: Json<readonly WebhookFilter[]>;
  tags: Json<Tags>;
  last_triggered: NullableTimestamp;
}

export interface WebhookFilter {
  readonly jsonPath: string;
  readonly matchEquals?: string;
}

/** Buckets of the object store that somebody made, with whose they are. */
interface ApiBucketTable {
  name: string;
  scope: number;
  created_at: GeneratedTimestamp;
}
