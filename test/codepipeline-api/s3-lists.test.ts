import { expect, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { doorBench, refusal } from './door-bench.ts';

const bench = await doorBench(await testDatabase());
const store = bench.storeOf(bench.admin);
const Bucket = 'shelf';

async function put(keys: readonly string[]): Promise<void> {
  for (const Key of keys) await store.putObject({ Bucket, Key, Body: Key });
}

test('the three lists page through a bucket, with prefix and delimiter', async () => {
  await put(['a&<b>', 'dir/one', 'dir/two', 'z']);
  const first = await store.listObjects({ Bucket, Delimiter: '/', MaxKeys: 2 });
  expect([first.Contents?.map(({ Key }) => Key), first.CommonPrefixes]).toEqual([['a&<b>'], [{ Prefix: 'dir/' }]]);
  expect([first.IsTruncated, first.NextMarker]).toEqual([true, 'dir/']);
  const second = await store.listObjects({ Bucket, Delimiter: '/', Marker: first.NextMarker });
  expect([second.Contents?.map(({ Key }) => Key), second.IsTruncated]).toEqual([['z'], false]);
  const { Versions, IsTruncated } = await store.listObjectVersions({ Bucket, Prefix: 'dir/' });
  expect(Versions?.map(({ Key, IsLatest }) => [Key, IsLatest])).toEqual([
    ['dir/one', true],
    ['dir/two', true],
  ]);
  expect(IsTruncated).toBe(false);
  const { VersionId } = await store.headObject({ Bucket, Key: 'dir/one' });
  expect(Versions?.[0]?.VersionId).toBe(VersionId);
});

test('an object is copied whole and in ranges, also onto itself; what is not there is told', async () => {
  await store.putObject({ Bucket, Key: 'from here', Body: '0123456789' });
  const copied = await store.copyObject({ Bucket, Key: 'to', CopySource: `${Bucket}/from%20here` });
  expect(copied.VersionId).not.toBe(copied.CopySourceVersionId);
  expect((await store.getObjectTagging({ Bucket, Key: 'to' })).TagSet).toEqual([]);
  const itself = await store.copyObject({ Bucket, Key: 'to', CopySource: `${Bucket}/to` });
  expect(itself.CopyObjectResult?.ETag).toBe(copied.CopyObjectResult?.ETag);
  const missing = store.copyObject({ Bucket, Key: 'to', CopySource: `${Bucket}/nothing` });
  expect(await refusal(missing)).toBe('NoSuchKey: The specified key does not exist.');

  const { UploadId } = await store.createMultipartUpload({ Bucket, Key: 'parts' });
  const upload = { Bucket, Key: 'parts', UploadId };
  const part = { ...upload, CopySource: `${Bucket}/to` };
  const one = await store.uploadPartCopy({ ...part, PartNumber: 1, CopySourceRange: 'bytes=5-9' });
  const two = await store.uploadPartCopy({ ...part, PartNumber: 2, CopySourceRange: 'bytes=0-4' });
  const beyond = store.uploadPartCopy({ ...part, PartNumber: 3, CopySourceRange: 'bytes=5-10' });
  expect(await refusal(beyond)).toMatch(/^InvalidArgument: .* within its 10 bytes/);
  const Parts = [one, two].map((each, at) => ({ PartNumber: at + 1, ETag: each.CopyPartResult?.ETag }));
  await store.completeMultipartUpload({ ...upload, MultipartUpload: { Parts } });
  const { Body } = await store.getObject({ Bucket, Key: 'parts' });
  expect(await Body?.transformToString()).toBe('5678901234');
});

test('many objects go with one request, whatever is in their names', async () => {
  await put(['gone/1', 'gone/<2>&"']);
  const Objects = [{ Key: 'gone/1' }, { Key: 'gone/<2>&"' }, { Key: 'gone/never' }];
  const { Deleted } = await store.deleteObjects({ Bucket, Delete: { Objects } });
  expect(Deleted?.map(({ Key }) => Key)).toEqual(Objects.map(({ Key }) => Key));
  expect((await store.listObjectsV2({ Bucket, Prefix: 'gone/' })).KeyCount).toBe(0);
});

test('a read-only key copies and deletes nothing', async () => {
  const reader = bench.storeOf(await bench.key({ readOnly: true }));
  await put(['kept']);
  expect(await refusal(reader.copyObject({ Bucket, Key: 'copy', CopySource: `${Bucket}/kept` }))).toMatch(
    /^AccessDenied/,
  );
  const all = reader.deleteObjects({ Bucket, Delete: { Objects: [{ Key: 'kept' }] } });
  expect(await refusal(all)).toMatch(/^AccessDenied/);
});
