import { answer } from '../http-server.ts';
import type { S3Request } from './s3-request.ts';
import { document, type Element } from './xml.ts';

type Asked = Pick<S3Request, 'exchange'>;

export function respondXml({ exchange }: Asked, name: string, content: readonly Element[]): void {
  answer(exchange, 200, { ...common({ exchange }), 'content-type': 'application/xml' }, document(name, content));
}

export function respondEmpty(
  { exchange }: Asked,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  answer(exchange, status, { ...common({ exchange }), ...headers });
}

export function common({ exchange }: Asked): Record<string, string> {
  return { 'x-amz-request-id': exchange.requestId };
}
