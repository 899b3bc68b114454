import { expect, test } from 'vitest';
import { bucketsToEmpty } from '../../src/main/housekeeping.ts';
import { aPipeline } from '../engine/a-pipeline.ts';

test('artifact stores are emptied, a bucket that some pipeline deploys to never is', () => {
  const plain = { ...aPipeline({ Source: { A: {} } }), artifactStore: { type: 'S3', location: 'builds' } } as const;
  const shared = {
    ...aPipeline({ Deploy: { Put: { configuration: { BucketName: 'site' } } } }),
    artifactStore: { type: 'S3', location: 'site' },
  } as const;
  expect(bucketsToEmpty([plain, shared])).toEqual(['penstock-artifacts', 'builds']);
});
