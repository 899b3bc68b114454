import { expect, test } from 'vitest';
import { testDatabase } from '../database.ts';
import { doorBench, refusal } from './door-bench.ts';

const bench = await doorBench(await testDatabase());
const store = bench.storeOf(bench.admin);

async function put(Bucket: string, Key: string, Body: string): Promise<string> {
  return (await store.putObject({ Bucket, Key, Body })).VersionId!;
}

async function read(Bucket: string, Key: string, VersionId?: string): Promise<string> {
  const { Body } = await store.getObject({ Bucket, Key, VersionId });
  return Body!.transformToString();
}

test('a bucket keeps versions, says so, and cannot be told to stop', async () => {
  await put('kept', 'x', 'one');
  expect((await store.getBucketVersioning({ Bucket: 'kept' })).Status).toBe('Enabled');
  const set = (Status: 'Enabled' | 'Suspended') =>
    store.putBucketVersioning({ Bucket: 'kept', VersioningConfiguration: { Status } });
  await set('Enabled');
  expect(await refusal(set('Suspended'))).toMatch(/^NotImplemented: Versioning cannot be suspended/);
  expect(await refusal(store.getBucketVersioning({ Bucket: 'nowhere' }))).toMatch(/^NoSuchBucket/);
});

test('an older version is read, described and copied by its id; another id is not there', async () => {
  const [one, two] = [await put('old', 'x', 'one'), await put('old', 'x', 'two')];
  expect([await read('old', 'x'), await read('old', 'x', one), await read('old', 'x', two)]).toEqual([
    'two',
    'one',
    'two',
  ]);
  expect(await store.headObject({ Bucket: 'old', Key: 'x', VersionId: one })).toMatchObject({
    VersionId: one,
    ContentLength: 3,
  });
  const back = await store.copyObject({ Bucket: 'old', Key: 'x', CopySource: `old/x?versionId=${one}` });
  expect([await read('old', 'x'), back.CopySourceVersionId]).toEqual(['one', one]);
  const other = '00000000-0000-4000-8000-000000000000';
  expect(await refusal(read('old', 'x', other))).toBe('NoSuchVersion: The specified version does not exist.');
  expect(await refusal(store.copyObject({ Bucket: 'old', Key: 'y', CopySource: `old/x?versionId=${other}` }))).toMatch(
    /^NoSuchVersion/,
  );
});

test('a delete hides an object behind a mark; taking the mark away brings it back', async () => {
  const one = await put('marks', 'x', 'one');
  const deleted = await store.deleteObject({ Bucket: 'marks', Key: 'x' });
  expect(deleted).toMatchObject({ DeleteMarker: true });
  const mark = deleted.VersionId!;
  expect(await refusal(read('marks', 'x'))).toMatch(/^NoSuchKey/);
  expect(await refusal(read('marks', 'x', mark))).toMatch(/^MethodNotAllowed/);
  expect((await store.listObjectsV2({ Bucket: 'marks' })).KeyCount).toBe(0);
  expect(await read('marks', 'x', one)).toBe('one');
  const { Versions, DeleteMarkers } = await store.listObjectVersions({ Bucket: 'marks' });
  expect(DeleteMarkers).toMatchObject([{ Key: 'x', VersionId: mark, IsLatest: true }]);
  expect(Versions).toMatchObject([{ Key: 'x', VersionId: one, IsLatest: false, Size: 3 }]);
  const taken = await store.deleteObject({ Bucket: 'marks', Key: 'x', VersionId: mark });
  expect(taken).toMatchObject({ DeleteMarker: true, VersionId: mark });
  expect(await read('marks', 'x')).toBe('one');
});

test('versions are listed in pages, and a bucket is empty when all of them went', async () => {
  const ids: string[] = [];
  for (const [key, text] of [
    ['a', '1'],
    ['a', '2'],
    ['b/c', '3'],
    ['z', '4'],
  ] as const) {
    ids.push(await put('pages', key, text));
  }
  const seen: string[] = [];
  let marker: { KeyMarker?: string; VersionIdMarker?: string } = {};
  for (;;) {
    const page = await store.listObjectVersions({ Bucket: 'pages', MaxKeys: 1, ...marker });
    seen.push(...(page.Versions ?? []).map(({ VersionId }) => VersionId!));
    if (page.IsTruncated !== true) break;
    marker = { KeyMarker: page.NextKeyMarker!, VersionIdMarker: page.NextVersionIdMarker! };
  }
  const [a1, a2, b, z] = ids;
  expect(seen).toEqual([a2, a1, b, z]);
  const grouped = await store.listObjectVersions({ Bucket: 'pages', Delimiter: '/', KeyMarker: 'a' });
  expect([grouped.CommonPrefixes, grouped.Versions?.map(({ Key }) => Key)]).toEqual([[{ Prefix: 'b/' }], ['z']]);
  expect(await refusal(store.listObjectVersions({ Bucket: 'pages', VersionIdMarker: a1 }))).toMatch(/^InvalidArgument/);
  expect(await refusal(store.deleteBucket({ Bucket: 'pages' }))).toMatch(/^BucketNotEmpty/);
  const Objects = [
    { Key: 'a', VersionId: a1 },
    { Key: 'a', VersionId: a2 },
    { Key: 'b/c' },
    { Key: 'z', VersionId: z },
  ];
  const { Deleted } = await store.deleteObjects({ Bucket: 'pages', Delete: { Objects } });
  expect(Deleted?.map(({ Key, DeleteMarker }) => [Key, DeleteMarker])).toEqual([
    ['a', undefined],
    ['a', undefined],
    ['b/c', true],
    ['z', undefined],
  ]);
  const left = await store.listObjectVersions({ Bucket: 'pages' });
  for (const { Key, VersionId } of [...(left.Versions ?? []), ...(left.DeleteMarkers ?? [])]) {
    await store.deleteObject({ Bucket: 'pages', Key: Key!, VersionId: VersionId! });
  }
  await store.deleteBucket({ Bucket: 'pages' });
  expect(await refusal(store.headBucket({ Bucket: 'pages' }))).toMatch(/^NotFound/);
});

test('conditions are kept: of reads, of writes that must not overwrite, of copies', async () => {
  const Bucket = 'conditions';
  const { ETag } = await store.putObject({ Bucket, Key: 'x', Body: 'one', IfNoneMatch: '*' });
  expect(await refusal(store.putObject({ Bucket, Key: 'x', Body: 'two', IfNoneMatch: '*' }))).toMatch(
    /^PreconditionFailed/,
  );
  expect(await refusal(store.putObject({ Bucket, Key: 'x', Body: 'two', IfMatch: '"other"' }))).toMatch(
    /^PreconditionFailed/,
  );
  expect(await refusal(store.putObject({ Bucket, Key: 'new', Body: 'two', IfMatch: ETag }))).toMatch(/^NoSuchKey/);
  expect(await read(Bucket, 'x')).toBe('one');
  const x = { Bucket, Key: 'x' };
  expect(await refusal(store.headObject({ ...x, IfNoneMatch: ETag }))).toMatch(
    /^(304|NotModified|UnknownError|Unknown)/,
  );
  expect(await refusal(store.getObject({ ...x, IfMatch: '"other"' }))).toMatch(/^PreconditionFailed/);
  const [before, after] = [new Date(Date.now() - 60_000), new Date(Date.now() + 60_000)];
  expect(await refusal(store.getObject({ ...x, IfUnmodifiedSince: before }))).toMatch(/^PreconditionFailed/);
  expect(await refusal(store.getObject({ ...x, IfModifiedSince: after }))).not.toBe('no error');
  expect((await store.getObject({ ...x, IfMatch: ETag, IfModifiedSince: before })).ContentLength).toBe(3);
  const copy = { Bucket, Key: 'copy', CopySource: `${Bucket}/x` };
  expect(await refusal(store.copyObject({ ...copy, CopySourceIfMatch: '"other"' }))).toMatch(/^PreconditionFailed/);
  await store.copyObject({ ...copy, CopySourceIfMatch: ETag });
  await store.putObject({ Bucket, Key: 'x', Body: 'two', IfMatch: ETag });
  expect(await read(Bucket, 'x')).toBe('two');
});

test('what a client says of an object it gets back, also from a copy and from an upload in parts', async () => {
  const Bucket = 'about';
  const about = { ContentType: 'text/plain', CacheControl: 'no-store', Metadata: { 'made-by': 'me' } };
  const { ETag } = await store.putObject({ Bucket, Key: 'x', Body: 'hello', ...about });
  expect(ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
  expect(await store.headObject({ Bucket, Key: 'x' })).toMatchObject({ ETag, ...about });
  await store.copyObject({ Bucket, Key: 'y', CopySource: `${Bucket}/x` });
  expect(await store.headObject({ Bucket, Key: 'y' })).toMatchObject({ ETag, ...about });
  const anew = { ContentType: 'text/html', Metadata: { other: '1' } };
  await store.copyObject({ Bucket, Key: 'y', CopySource: `${Bucket}/x`, MetadataDirective: 'REPLACE', ...anew });
  expect(await store.headObject({ Bucket, Key: 'y' })).toMatchObject(anew);
  const { UploadId } = await store.createMultipartUpload({ Bucket, Key: 'z', ...about });
  expect((await store.listMultipartUploads({ Bucket })).Uploads).toMatchObject([{ Key: 'z', UploadId }]);
  const part = await store.uploadPart({ Bucket, Key: 'z', UploadId, PartNumber: 7, Body: 'hello' });
  const { Parts } = await store.listParts({ Bucket, Key: 'z', UploadId });
  expect(Parts).toMatchObject([{ PartNumber: 7, Size: 5, ETag: part.ETag }]);
  const whole = await store.completeMultipartUpload({
    Bucket,
    Key: 'z',
    UploadId,
    MultipartUpload: { Parts: [{ PartNumber: 7, ETag: part.ETag }] },
  });
  expect(whole.ETag).toMatch(/^"[0-9a-f]{32}-1"$/);
  expect(await store.headObject({ Bucket, Key: 'z' })).toMatchObject({ ETag: whole.ETag, ...about });
  const tooMuch = { much: 'x'.repeat(2049) };
  expect(await refusal(store.putObject({ Bucket, Key: 'w', Body: '', Metadata: tooMuch }))).toMatch(
    /^MetadataTooLarge/,
  );
});

test.each([
  ['ChecksumCRC32', 'y/Q5Jg==', 'AAAAAA=='],
  ['ChecksumCRC32C', '4waSgw==', 'AAAAAA=='],
  ['ChecksumCRC64NVME', 'rosUhgp5mIg=', 'AAAAAAAAAAA='],
  ['ChecksumSHA1', '98O8HYCOBHMq32eZZczDTKeuNEE=', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='],
  ['ChecksumSHA256', 'FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='],
])('%s is checked, and told to a client that wants to check it', async (name, right, wrong) => {
  const place = { Bucket: 'sums', Key: name };
  expect(await refusal(store.putObject({ ...place, Body: '123456789', [name]: wrong }))).toMatch(/^BadDigest/);
  expect(await refusal(store.headObject(place))).toMatch(/^NotFound/);
  await store.putObject({ ...place, Body: '123456789', [name]: right });
  expect(await store.headObject({ ...place, ChecksumMode: 'ENABLED' })).toMatchObject({ [name]: right });
});
