import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { dataFile, isContent, type ContentRecord, type ObjectRecord } from './object-records.ts';
import type { ArtifactLocation } from './provider.ts';

export interface StoredObject {
  readonly location: ArtifactLocation;
  /** Where the bytes are; read-only for everybody. */
  readonly file: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** As HTTP writes it, with its quotes. */
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly versionId: string;
  /** ISO 8601. */
  readonly storedAt: string;
}

export interface StoredVersion {
  readonly location: ArtifactLocation;
  readonly versionId: string;
  readonly storedAt: string;
  readonly isLatest: boolean;
  /** null: this version says that the object was deleted. */
  readonly object: StoredObject | null;
}

export function objectOf(directory: string, record: ContentRecord): StoredObject {
  const { bucket, key, ...rest } = record;
  return { location: { bucket, key }, file: dataFile(directory, record.versionId), ...rest };
}

export function versionFrom(directory: string, record: ObjectRecord, isLatest: boolean): StoredVersion {
  const { bucket, key, versionId, storedAt } = record;
  const object = isContent(record) ? objectOf(directory, record) : null;
  return { location: { bucket, key }, versionId, storedAt, isLatest, object };
}

export function objectDirectory(root: string, { bucket, key }: ArtifactLocation): string {
  return join(root, digestName(bucket), digestName(key));
}

export function digestName(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 40);
}
