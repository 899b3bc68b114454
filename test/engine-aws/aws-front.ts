import { afterAll, vi } from 'vitest';
import { openAwsWire, type WireCall } from './aws-wire.ts';

/** AWS on the wire for the tests of this file, with Penstock's own credentials in the environment. */
export async function startAwsFront(answer: WireCall): Promise<string> {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOWN');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'own-secret');
  const wire = await openAwsWire(answer);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await wire.close();
  });
  return wire.url;
}
