import { expect, test } from 'vitest';
import { ownBuckets, sharedBuckets } from '../../src/providers/bucket-names.ts';

test('one name used by two repositories is two buckets, and no name leads into another repository', () => {
  expect(ownBuckets({ id: 7 }, 'site')).not.toBe(ownBuckets({ id: 8 }, 'site'));
  expect(ownBuckets({ id: 8 }, 'site.repository-7')).not.toBe(ownBuckets({ id: 7 }, 'site'));
  expect(ownBuckets({ id: 8 }, 'penstock-artifacts')).not.toBe('penstock-artifacts');
});

test('the operator and a local run name buckets as they are', () => {
  expect(ownBuckets({ id: 0 }, 'site')).toBe('site');
  expect(sharedBuckets({ id: 8 }, 'site')).toBe('site');
});
