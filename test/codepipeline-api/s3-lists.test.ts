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
  const large = 'x'.repeat(5 * 1024 * 1024);
  const last = large.length + 4;
  await store.putObject({ Bucket, Key: 'from here', Body: Buffer.from(`01234${large}`) });
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
  const one = await store.uploadPartCopy({ ...part, PartNumber: 1, CopySourceRange: `bytes=5-${last}` });
  const two = await store.uploadPartCopy({ ...part, PartNumber: 2, CopySourceRange: 'bytes=0-4' });
  const beyond = store.uploadPartCopy({ ...part, PartNumber: 3, CopySourceRange: `bytes=5-${last + 1}` });
  expect(await refusal(beyond)).toMatch(/^InvalidArgument: .* within its 5242885 bytes/);
  const Parts = [one, two].map((each, at) => ({ PartNumber: at + 1, ETag: each.CopyPartResult?.ETag }));
  await store.completeMultipartUpload({ ...upload, MultipartUpload: { Parts } });
  const { Body } = await store.getObject({ Bucket, Key: 'parts' });
  expect((await Body!.transformToString()) === `${large}01234`).toBe(true);
});

test('parts and uploads are listed in pages', async () => {
  const created = [];
  for (const Key of ['up/a', 'up/b', 'up/b']) created.push(await store.createMultipartUpload({ Bucket, Key }));
  const upload = { Bucket, Key: 'up/a', UploadId: created[0]!.UploadId };
  for (const PartNumber of [3, 1, 12]) await store.uploadPart({ ...upload, PartNumber, Body: String(PartNumber) });
  const one = await store.listParts({ ...upload, MaxParts: 2 });
  expect(one.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
    [1, 1],
    [3, 1],
  ]);
  expect([one.IsTruncated, one.NextPartNumberMarker]).toEqual([true, '3']);
  const two = await store.listParts({ ...upload, PartNumberMarker: one.NextPartNumberMarker });
  expect([two.Parts?.map(({ PartNumber }) => PartNumber), two.IsTruncated]).toEqual([[12], false]);

  const ids = new Set<string | undefined>();
  let marker = {};
  for (;;) {
    const page = await store.listMultipartUploads({ Bucket, Prefix: 'up/', MaxUploads: 1, ...marker });
    for (const { UploadId } of page.Uploads ?? []) ids.add(UploadId);
    if (page.IsTruncated !== true) break;
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
  expect(ids).toEqual(new Set(created.map(({ UploadId }) => UploadId)));
  expect((await store.listMultipartUploads({ Bucket, KeyMarker: 'up/a' })).Uploads?.length).toBe(2);
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
