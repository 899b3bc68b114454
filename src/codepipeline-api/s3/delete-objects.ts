import { writeCondition } from './conditions.ts';
import { checkExists } from './buckets.ts';
import { deleteOne } from './objects.ts';
import { respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import { instructions } from './upload-body.ts';
import { textOf, type Element } from './xml.ts';

const mostKeys = 1000;

interface Named {
  readonly key: string;
  readonly version?: string;
}

/** DeleteObjects: a list of keys, or of versions, in one request. What is not there counts as deleted. */
export async function deleteObjects(request: S3Request): Promise<void> {
  await checkExists(request);
  if (writeCondition(request)) throw new S3Error('NotImplemented', 'Name no condition for many objects.', 501);
  const body = await instructions(request, 2 * 1024 * 1024);
  const named = [...body.matchAll(/<Object>(.*?)<\/Object>/gs)].map(([, inner = '']) => read(inner));
  if (named.length === 0 || named.length > mostKeys) throw malformed();
  const deleted: Element[] = [];
  for (const one of named) deleted.push(await take(request, one));
  const isQuiet = /<Quiet>\s*true\s*<\/Quiet>/.test(body);
  respondXml(request, 'DeleteResult', isQuiet ? [] : deleted);
}

function read(inner: string): Named {
  const key = /<Key>([^<]+)<\/Key>/.exec(inner)?.[1];
  const version = /<VersionId>([^<]+)<\/VersionId>/.exec(inner)?.[1];
  if (key === undefined) throw malformed();
  if (/<ETag>|<LastModifiedTime>|<Size>/.test(inner)) {
    throw new S3Error('NotImplemented', 'Name no condition for many objects: delete such an object by itself.', 501);
  }
  return { key: textOf(key), ...(version === undefined ? {} : { version: textOf(version) }) };
}

async function take(request: S3Request, { key, version }: Named): Promise<Element> {
  const { versionId = '', isMark } = await deleteOne(request, key, version);
  return [
    'Deleted',
    [
      ['Key', key],
      ...(version === undefined ? [] : [['VersionId', version] as const]),
      ...(isMark
        ? ([
            ['DeleteMarker', true],
            ['DeleteMarkerVersionId', versionId],
          ] as const)
        : []),
    ],
  ];
}

function malformed(): S3Error {
  return new S3Error('MalformedXML', `The XML has to name 1 to ${mostKeys} keys.`, 400);
}
