// The program of `unzipApart`: unpacks one archive and tells on standard output how that went.
import { describeError } from '../errors.ts';
import { UnsafeArchive } from './archive-names.ts';
import type { UnzipReply, UnzipRequest } from './unzip-apart.ts';
import { unzip } from './unzip.ts';

const { file, directory, limits } = JSON.parse(process.argv[2] ?? '') as UnzipRequest;
// Whoever asked is gone, and nobody needs the files any more.
process.stdin.resume().once('end', () => process.exit(1));

async function reply(): Promise<UnzipReply> {
  try {
    await unzip({ file }, directory, limits);
    return { kind: 'done' };
  } catch (error) {
    if (error instanceof UnsafeArchive) return { kind: 'unsafe', message: error.message };
    return { kind: 'broken', message: describeError(error) };
  }
}

process.stdout.write(JSON.stringify(await reply()), () => process.exit());
