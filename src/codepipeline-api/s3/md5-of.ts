import { createHash } from 'node:crypto';
import { Transform, type Readable } from 'node:stream';

/** The same bytes, and their MD5 in hex once all have passed: S3's ETag. */
export function md5Of(source: Readable): { readonly stream: Readable; readonly md5: () => string } {
  const hash = createHash('md5');
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  source.on('error', (error) => stream.destroy(error));
  return { stream: source.pipe(stream), md5: () => hash.copy().digest('hex') };
}
