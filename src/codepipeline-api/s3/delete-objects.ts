import { readBody } from '../http-server.ts';
import { respondXml } from './respond.ts';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import { textOf, type Element } from './xml.ts';

const mostKeys = 1000;

/** DeleteObjects: a list of keys in one request. What is not there counts as deleted. */
export async function deleteObjects(request: S3Request): Promise<void> {
  const { door, bucket, exchange } = request;
  const body = (await readBody(exchange, 2 * 1024 * 1024)).toString();
  const keys = [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => textOf(key));
  if (keys.length === 0 || keys.length > mostKeys) {
    throw new S3Error('MalformedXML', `The XML has to name 1 to ${mostKeys} keys.`, 400);
  }
  for (const key of keys) await door.artifacts.delete({ bucket, key });
  const isQuiet = /<Quiet>\s*true\s*<\/Quiet>/.test(body);
  const deleted = keys.map((key): Element => ['Deleted', [['Key', key]]]);
  respondXml(request, 'DeleteResult', isQuiet ? [] : deleted);
}
